//! Requests for the missing part of a blob, and checks of the answers.

use std::ops::Range;
use std::time::Duration;

use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE,
};
use reqwest::{Method, Response, StatusCode};

use crate::content::Descriptor;
use crate::oci::error::{Error, one_line};

use super::super::http::{Announced, Payload, Request, Scope, address, refuse_encoding};
use super::super::repository_endpoint::RepositoryEndpoint;

/// One attempt to get a part of a blob.
pub(super) struct RangeRequest<'a> {
    pub(super) repository: &'a RepositoryEndpoint,
    pub(super) content: &'a Descriptor,
    /// The bytes to ask for.
    pub(super) range: Range<u64>,
    /// Whether to send a `Range` header, unless the range is the whole blob.
    pub(super) use_range: bool,
    /// The `ETag` of earlier answers.
    pub(super) etag: Option<&'a HeaderValue>,
    /// Whether an answer with the whole blob is accepted.
    pub(super) accept_whole: bool,
    /// Whether only an answer of the endpoint itself is accepted, so that a redirect is an error.
    pub(super) first_hand: bool,
}

impl RangeRequest<'_> {
    pub(super) fn request(&self) -> Result<Request, Error> {
        let mut request = self
            .repository
            .blob_request(Method::GET, self.content, Scope::PULL)?;
        let Range { start, end } = self.range;
        let is_whole = start == 0 && end == self.content.size;
        if !is_whole && self.use_range {
            let range = format!("bytes={start}-{}", end.saturating_sub(1));
            if let Ok(range) = HeaderValue::from_str(&range) {
                request.headers.insert(RANGE, range);
            }
            if let Some(etag) = self.etag {
                request.headers.insert(IF_RANGE, etag.clone());
            }
        }
        Ok(request)
    }

    /// Sends `request`, and returns an answer that contains the range, together with the range of the blob in the
    /// answer. Waits at most `limit` for the endpoint.
    pub(super) async fn send(
        &self,
        request: &Request,
        limit: Duration,
    ) -> Result<(Response, Range<u64>), Error> {
        let endpoint = &self.repository.endpoint;
        let response = endpoint
            .exchange_once(request, &Payload::Empty, limit)
            .await?;
        // A redirect to the same host is refused too, because another host may have sent it.
        if self.first_hand && *response.url() != request.url {
            return Err(Error::SecondHand {
                what: request.what.clone(),
                registry: request.registry.clone(),
                from: address(response.url()),
            });
        }
        let partial = request.headers.contains_key(RANGE);
        if partial && response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Err(range_ignored(request, "HTTP 416".to_owned()));
        }
        let response = endpoint.check(response, request).await?;
        if partial && response.status() == StatusCode::PARTIAL_CONTENT {
            self.check_partial(&response, request)?;
            return Ok((response, self.range.clone()));
        }
        if !self.accept_whole {
            let status = response.status().as_u16();
            return Err(range_ignored(request, format!("HTTP {status}")));
        }
        self.check_whole(&response, request)?;
        Ok((response, 0..self.content.size))
    }

    fn check_whole(&self, response: &Response, request: &Request) -> Result<(), Error> {
        if response
            .content_length()
            .is_some_and(|length| length != self.content.size)
        {
            refuse_encoding(response, request)?;
        }
        let announced = Announced::from(response.headers());
        let other_size = announced.size.filter(|size| *size != self.content.size);
        let actual = match other_size {
            None if response.status() == StatusCode::OK => return Ok(()),
            None => format!("an answer with HTTP {}", response.status().as_u16()),
            Some(size) => format!("{size} bytes"),
        };
        let (what, size) = (request.what.clone(), self.content.size);
        Err(Error::wrong_size(what, size, actual))
    }

    fn check_partial(&self, response: &Response, request: &Request) -> Result<(), Error> {
        let size = self.content.size;
        let text = |name: HeaderName| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(one_line(value))
        };
        let given = text(CONTENT_RANGE).unwrap_or_default();
        let Range { start, end } = self.range;
        let expected = format!("bytes {start}-{}/", end.saturating_sub(1));
        let total = given.strip_prefix(&expected);
        if !total.is_some_and(|total| total == "*" || total == size.to_string()) {
            let reason = format!("Content-Range is `{given}`, not `{expected}{size}`");
            return Err(range_ignored(request, reason));
        }
        match text(CONTENT_LENGTH) {
            Some(length) if length != (end - start).to_string() => {
                let reason = format!("Content-Length is {length}");
                Err(range_ignored(request, reason))
            }
            _ => Ok(()),
        }
    }
}

fn range_ignored(request: &Request, reason: String) -> Error {
    Error::RangeIgnored {
        what: request.what.clone(),
        registry: request.registry.clone(),
        reason,
    }
}

/// Returns the `ETag` when it identifies exactly these bytes (RFC 9110, "Strong and Weak Validators").
pub(super) fn strong_etag(headers: &HeaderMap) -> Option<HeaderValue> {
    let etag = headers.get(ETAG)?;
    etag.as_bytes().starts_with(b"\"").then(|| etag.clone())
}
