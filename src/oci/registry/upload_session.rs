//! Upload sessions: the places that a registry names for the bytes of a blob.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION, RANGE};
use reqwest::{Method, Response, StatusCode, Url};

use crate::content::Descriptor;

use super::super::error::{Error, one_line};
use super::Repository;
use super::hosted::HostedRepository;
use super::retry::Attempts;
use super::transport::{Call, Payload, Scope, address};

/// What a registry calls the smallest chunk that it takes (OCI distribution specification, "Pushing a
/// blob in chunks").
const CHUNK_MIN_LENGTH: &str = "oci-chunk-min-length";

/// Where an upload takes place, and how far it has come.
pub(super) struct Session {
    pub(super) url: Url,
    /// How many bytes the registry has.
    pub(super) offset: u64,
    /// Whether it broke off before. Some registries name an offset that they do not take, such as
    /// `registry:2` before it has noticed.
    pub(super) resumed: bool,
    /// The smallest chunk that it takes, in bytes.
    pub(super) smallest_chunk: u64,
}

impl Session {
    /// The session that an answer is about.
    pub(super) fn of(response: &Response, call: &Call) -> Result<Self, Error> {
        let smallest = response.headers().get(CHUNK_MIN_LENGTH);
        Ok(Self {
            url: location(response, call)?,
            offset: 0,
            resumed: false,
            smallest_chunk: smallest
                .and_then(|value| value.to_str().ok()?.trim().parse().ok())
                .unwrap_or_default(),
        })
    }
}

/// The longest that cancelling an upload may take.
const CANCEL_LIMIT: Duration = Duration::from_secs(5);

/// An upload that was opened only to see whether the registry takes uploads.
pub(crate) struct OpenUpload {
    host: HostedRepository,
    call: Call,
}

impl Repository {
    /// Makes sure that the registry takes uploads from this client, by opening one. No other request
    /// tells that, because a registry may let everybody read.
    ///
    /// # Errors
    ///
    /// [`Error`] for credentials that are missing, refused or not sufficient, and everything else
    /// that keeps a registry from accepting uploads.
    pub(crate) async fn open_upload(&self) -> Result<OpenUpload, Error> {
        let host = self.writable().await?;
        let call = host.begin_call("uploads")?;
        let mut attempts = host.transport.attempts();
        let response = host.exchange_session(&call, &mut attempts).await?;
        let response = host.transport.check(response, &call).await?;
        let session = location(&response, &call)?;
        let call = Call {
            method: Method::DELETE,
            url: session,
            ..call
        };
        Ok(OpenUpload { host, call })
    }
}

impl OpenUpload {
    /// Cancels the upload. A registry that does not let this client cancel it, as `registry:2` with
    /// tokens does without the permission to delete, clears it away later.
    pub(crate) async fn cancel(self) {
        let (transport, call) = (&self.host.transport, &self.call);
        // Without asking for another token: the upload is not worth that.
        let known = transport.known(call, CANCEL_LIMIT).await;
        let cancelling = transport.attempt(call, &Payload::Empty, known);
        match call.within(CANCEL_LIMIT, cancelling).await {
            Ok(answer) => tracing::debug!(status = %answer.status(), "cancelled an upload"),
            Err(error) => tracing::debug!(%error, "an upload was not cancelled"),
        }
    }
}

impl HostedRepository {
    /// Asks for a place to upload `content` to. `None`: the registry has taken it over from the
    /// repository `other`, and there is nothing to send.
    pub(super) async fn begin(
        &self,
        content: &Descriptor,
        other: Option<&str>,
        attempts: &mut Attempts,
    ) -> Result<Option<Session>, Error> {
        let what = format!("blob {}", content.digest);
        if let Some(other) = other {
            let mut call = self.begin_call(&what)?;
            call.url
                .query_pairs_mut()
                .append_pair("mount", &content.digest.to_string())
                .append_pair("from", other);
            let response = self.exchange_session(&call, attempts).await?;
            match response.status() {
                StatusCode::CREATED => return Ok(None),
                StatusCode::ACCEPTED => return Session::of(&response, &call).map(Some),
                status => tracing::debug!(%status, "{} does not mount", self.location()),
            }
        }
        let call = self.begin_call(&what)?;
        let response = self.exchange_session(&call, attempts).await?;
        let response = self.transport.check(response, &call).await?;
        Session::of(&response, &call).map(Some)
    }

    /// Asks how far an upload that broke off has come. `None` when it cannot be continued.
    ///
    /// `registry:2` (2.8.2) drops an upload of which a part of a request has arrived, PUT or PATCH: it
    /// answers 404, or, before it has noticed, that nothing is there.
    pub(super) async fn resume(
        &self,
        content: &Descriptor,
        session: Session,
        attempts: &mut Attempts,
    ) -> Result<Option<Session>, Error> {
        let call = self.session_call(Method::GET, content, session.url.clone())?;
        let response = self.exchange_session(&call, attempts).await?;
        if !response.status().is_success() {
            return Ok(None);
        }
        let offset = received(response.headers());
        let url = match response.headers().contains_key(LOCATION) {
            true => location(&response, &call)?,
            false => session.url,
        };
        Ok((1..=content.size).contains(&offset).then_some(Session {
            url,
            offset,
            resumed: true,
            ..session
        }))
    }

    async fn exchange_session(
        &self,
        call: &Call,
        attempts: &mut Attempts,
    ) -> Result<Response, Error> {
        let nothing = Bytes::new();
        self.transport
            .exchange_within(attempts, call, nothing)
            .await
    }

    fn begin_call(&self, what: &str) -> Result<Call, Error> {
        let mut call = self.call(Method::POST, "blobs/uploads/", what, Scope::PUSH)?;
        call.headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        Ok(call)
    }

    /// A request at an upload session.
    pub(super) fn session_call(
        &self,
        method: Method,
        content: &Descriptor,
        url: Url,
    ) -> Result<Call, Error> {
        Ok(Call {
            method,
            url,
            ..self.blob_call(Method::GET, content, Scope::PUSH)?
        })
    }
}

/// How many bytes have arrived, from `Range: 0-N`, where N is the last byte.
fn received(headers: &HeaderMap) -> u64 {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let last = range.and_then(|range| {
        let range = range.trim().trim_start_matches("bytes=");
        range.strip_prefix("0-")?.parse::<u64>().ok()
    });
    match last {
        // `registry:2` says this of nothing. One byte more or less to send makes no difference.
        None | Some(0) => 0,
        Some(last) => last.saturating_add(1),
    }
}

/// Where the registry wants the blob. Only itself will do: credentials go there.
pub(super) fn location(response: &Response, call: &Call) -> Result<Url, Error> {
    let headers = response.headers();
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let url = match location {
        Some(location) => within_registry(&call.url, location),
        None => Err("there is no Location header".to_owned()),
    };
    url.map_err(|reason| Error::Location {
        what: call.what.clone(),
        registry: call.registry.clone(),
        reason,
    })
}

/// What `location` means in an answer from `asked`, or why nothing is sent there.
fn within_registry(asked: &Url, location: &str) -> Result<Url, String> {
    let url = asked
        .join(location)
        .map_err(|_| format!("`{}` is not a URL", one_line(location)))?;
    match url.origin() == asked.origin() {
        true => Ok(url),
        false => Err(format!(
            "{} is not where the registry is",
            one_line(&address(&url))
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_arrived_is_told_by_its_last_byte() {
        let arrived = |range: &'static str| {
            received(&HeaderMap::from_iter([(
                RANGE,
                HeaderValue::from_static(range),
            )]))
        };
        assert_eq!(arrived("0-9"), 10);
        assert_eq!(arrived("bytes=0-9"), 10);
        assert_eq!(arrived("0-0"), 0);
        assert_eq!(arrived("5-9"), 0);
        assert_eq!(arrived("0-18446744073709551615"), u64::MAX);
        assert_eq!(received(&HeaderMap::new()), 0);
    }

    #[test]
    fn an_upload_goes_on_at_the_same_scheme_host_and_port_alone() {
        let asked: Url = "https://ghcr.io/v2/a/blobs/uploads/".parse().unwrap();
        let within = |location| within_registry(&asked, location).map(String::from);
        for (location, url) in [
            ("/v2/a/up/1?_state=x", "https://ghcr.io/v2/a/up/1?_state=x"),
            ("https://ghcr.io:443/up?b=c", "https://ghcr.io/up?b=c"),
            ("1", "https://ghcr.io/v2/a/blobs/uploads/1"),
        ] {
            assert_eq!(within(location).as_deref(), Ok(url));
        }
        for elsewhere in [
            "http://ghcr.io/up",
            "http://ghcr.io:443/up",
            "https://ghcr.io:444/up",
            "https://storage.ghcr.io/up",
            "//evil.example/up",
            "file:///etc/passwd",
            "https://",
        ] {
            assert!(within(elsewhere).is_err(), "{elsewhere}");
        }
    }
}
