//! Refusals: answers of a registry that are not a success. The body is OCI error JSON, a text, a web page, or empty.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use crate::oci::error::{Answer, Error, one_line};

use super::retry::is_transient;

/// How much of the body of a refusal is read, in bytes.
pub(crate) const REFUSAL_LIMIT: u64 = 64 * 1024;

/// The body of a refusal (OCI distribution specification, "Error Codes").
#[derive(Deserialize)]
struct Envelope {
    errors: Vec<EnvelopeError>,
}

#[derive(Deserialize)]
struct EnvelopeError {
    code: Option<String>,
    message: Option<String>,
}

/// Parses a refusal (OCI distribution specification, "Error Codes").
pub(crate) fn parse_refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Box<Answer> {
    let mut answer = Answer {
        status: status.as_u16(),
        code: None,
        message: None,
        retry_after: retry_after(headers, SystemTime::now()),
    };
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let envelope: Option<Envelope> = serde_json::from_slice(body).ok();
    if let Some(error) = envelope.and_then(|envelope| envelope.errors.into_iter().next()) {
        answer.code = error.code.as_deref().map(one_line);
        answer.message = error.message.as_deref().map(one_line);
    } else if content_type.is_some_and(|value| value.starts_with("text/plain")) {
        answer.message = Some(one_line(&String::from_utf8_lossy(body)));
    } else if content_type.is_some_and(|value| value.starts_with("text/html"))
        && may_be_of_another_server(status)
    {
        answer.message = Some("a web page, which is not the answer of a registry".to_owned());
    }
    answer.message = answer.message.filter(|message| !message.is_empty());
    if answer.code.is_none() && answer.message.is_none() {
        answer.message = status.canonical_reason().map(str::to_owned);
    }
    Box::new(answer)
}

/// Returns whether a web page with this status may come from a server that is not a registry. With another status, it
/// comes from a proxy in front of a registry, and the status tells the reason.
fn may_be_of_another_server(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 401 | 403 | 404 | 405)
}

/// Returns how long the registry asks the client to wait. The header has a number of seconds, or a date, which is
/// compared with `now` (RFC 9110, "Retry-After").
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    // For a date in the past, the wait is zero.
    Some(date.duration_since(now).unwrap_or_default())
}

/// Returns whether the answer to a request in plain HTTP says that the server speaks TLS. Servers written in Go, such
/// as `registry:2`, answer without headers. nginx answers with a web page.
pub(crate) fn wants_tls(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> bool {
    let said = String::from_utf8_lossy(body);
    status == StatusCode::BAD_REQUEST
        && (headers.is_empty()
            || said.contains("to an HTTPS server")
            || said.contains("sent to HTTPS port"))
}

/// Returns whether the answer to a HEAD request tells nothing about the content, so that a GET request is needed. Some
/// registries, and proxies in front of them, do not support HEAD. They answer 400, 404, 405, 500 or 501. The statuses
/// 401 and 403 would be the answer to GET too.
pub(crate) fn says_nothing(status: StatusCode) -> bool {
    !status.is_success() && !matches!(status.as_u16(), 401 | 403)
}

/// Returns whether a refusal means that a tag is immutable. Registries use different statuses and codes. All of them
/// use the word, or answer with a conflict.
pub(crate) fn says_immutable(answer: &Answer) -> bool {
    let said = answer.code.iter().chain(&answer.message);
    let mut said = said.map(|text| text.to_ascii_lowercase());
    matches!(answer.status, 409 | 412)
        || matches!(answer.status, 400 | 403 | 405)
            && said.any(|text| text.contains("immutab") || text.contains("cannot be overwritten"))
}

/// Returns whether `error` is a refusal that another attempt would get again.
pub(crate) fn is_client_error(error: &Error) -> bool {
    let status = error_status(error);
    status.is_some_and(|status| status.is_client_error() && !is_transient(status))
}

/// Returns whether `error` means that the registry does not know the upload that it has opened. This happens when
/// replicas of a registry do not share their uploads or the secret for signing URLs, and after a restart.
pub(crate) fn is_forgotten(error: &Error) -> bool {
    let code = refusal(error).and_then(|answer| answer.code.as_deref());
    is_client_error(error)
        && (error_status(error) == Some(StatusCode::NOT_FOUND)
            || matches!(code, Some("BLOB_UPLOAD_UNKNOWN" | "BLOB_UPLOAD_INVALID")))
}

/// Returns the HTTP status in an error.
pub(crate) fn error_status(error: &Error) -> Option<StatusCode> {
    StatusCode::from_u16(refusal(error)?.status).ok()
}

/// Returns the refusal of the registry in an error.
fn refusal(error: &Error) -> Option<&Answer> {
    match error {
        Error::NotFound { answer, .. } | Error::Refused { answer, .. } => Some(answer),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests/refusal.rs"]
mod tests;
