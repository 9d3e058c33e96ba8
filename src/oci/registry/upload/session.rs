//! Upload sessions: the URLs that a registry assigns for the bytes of a blob.

use bytes::Bytes;
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RANGE,
};
use reqwest::{Method, Response, Url};

use crate::content::Descriptor;
use crate::oci::error::{Error, UploadProblem, UrlPart, one_line};

use super::super::http::{Announced, Attempts, Request, Scope, address};
use super::super::repository_endpoint::RepositoryEndpoint;
use super::cancel::cancel;
use super::kept::Kept;

/// The header with the size of the smallest chunk that a registry accepts (OCI distribution specification, "Pushing a
/// blob in chunks").
const CHUNK_MIN_LENGTH: &str = "oci-chunk-min-length";
/// The most sessions that a registry may forget.
const MOST_FORGOTTEN: u32 = 6;
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// An open upload session.
pub(crate) struct Session {
    pub(crate) url: Url,
    /// How many bytes the registry has received.
    pub(crate) offset: u64,
    /// Whether the upload was interrupted before. Some registries then name an offset that they do not accept, such as
    /// `registry:2` before it has noticed the interruption.
    pub(crate) resumed: bool,
    /// The smallest chunk that the registry accepts, in bytes.
    pub(crate) smallest_chunk: u64,
}

impl Session {
    /// Returns the session at this address. Nothing else is known about it.
    pub(super) fn at(url: Url) -> Self {
        Self {
            url,
            offset: 0,
            resumed: false,
            smallest_chunk: 0,
        }
    }

    pub(crate) fn open(response: &Response, request: &Request) -> Result<Self, Error> {
        let smallest = response.headers().get(CHUNK_MIN_LENGTH);
        Ok(Self {
            url: location(response, request)?,
            offset: 0,
            resumed: false,
            smallest_chunk: smallest
                .and_then(|value| value.to_str().ok()?.trim().parse().ok())
                .unwrap_or_default(),
        })
    }

    /// Updates the URL of the session from an answer, which may name another URL for the next request.
    pub(crate) fn follow(&mut self, response: &Response, request: &Request) -> Result<(), Error> {
        if response.headers().contains_key(LOCATION) {
            self.url = location(response, request)?;
        }
        Ok(())
    }
}

/// The upload of one blob into one repository, with several requests and sessions if necessary.
pub(crate) struct BlobUpload<'a> {
    pub(crate) repository: &'a RepositoryEndpoint,
    pub(crate) content: &'a Descriptor,
    pub(crate) attempts: Attempts,
    /// Whether the connection broke during the last body, or the registry had forgotten the session. A server that
    /// refuses a body may have answered, but the answer is lost if the server closes the connection while bytes arrive.
    /// So before the next body is sent, the client waits for an answer to the head of the request.
    pub(crate) must_await_answer: bool,
    /// The URL of the open session.
    open: Option<Url>,
    /// How many sessions the registry did not know, although it had just opened them.
    forgotten: u32,
    /// The record of the upload, with which another process can continue it.
    pub(super) kept: Kept,
    /// How many bytes the continued upload had sent before. 0 for a new upload.
    pub(super) continued: u64,
    /// Whether the registry has named the digest of the blob in its last answer.
    pub(super) is_named: bool,
}

impl<'a> BlobUpload<'a> {
    pub(crate) fn new(repository: &'a RepositoryEndpoint, content: &'a Descriptor) -> Self {
        Self {
            repository,
            content,
            attempts: repository.endpoint.attempts(),
            must_await_answer: false,
            open: None,
            forgotten: 0,
            kept: Kept::default(),
            continued: 0,
            is_named: false,
        }
    }

    /// Records the answer that has ended the upload.
    pub(super) fn ended(&mut self, response: &Response) {
        let digest = Announced::from(response.headers()).digest;
        self.is_named = digest.as_ref() == Some(&self.content.digest);
    }

    /// Opens a session.
    pub(crate) async fn begin(&mut self) -> Result<Session, Error> {
        let what = format!("blob {}", self.content.digest);
        let request = opening_request(self.repository, &what)?;
        let response = self.exchange(&request).await?;
        let response = self.repository.endpoint.check(response, &request).await?;
        self.continued = 0;
        Ok(self.opened(Session::open(&response, &request)?).await)
    }

    /// Records `session` as the open session, and returns it.
    pub(super) async fn opened(&mut self, session: Session) -> Session {
        self.note(&session).await;
        session
    }

    async fn note(&mut self, session: &Session) {
        self.kept.remember(&session.url).await;
        self.open = Some(session.url.clone());
    }

    /// Updates the URL of `session` from the answer to a request.
    pub(super) async fn follow(
        &mut self,
        session: &mut Session,
        response: &Response,
        request: &Request,
    ) -> Result<(), Error> {
        session.follow(response, request)?;
        self.note(session).await;
        Ok(())
    }

    /// Cancels the open session.
    pub(super) async fn cancel(&mut self) {
        let request = self
            .open
            .take()
            .map(|url| self.request_to(Method::DELETE, url));
        if let Some(Ok(request)) = request {
            self.kept.forget().await;
            cancel(&self.repository.endpoint, &request).await;
        }
    }

    pub(super) fn forgotten(&self) -> u32 {
        self.forgotten
    }

    /// Counts a session that the registry did not know. `error` is the answer of the registry. Fails with the error to
    /// report when there were too many such sessions.
    pub(super) fn was_forgotten(&mut self, error: Error) -> Result<(), Error> {
        self.open = None;
        self.must_await_answer = true;
        self.forgotten += 1;
        let uploads = self.forgotten;
        if uploads < MOST_FORGOTTEN {
            tracing::info!("{error}; sending the blob from its start again");
            return Ok(());
        }
        Err(match error {
            Error::Refused {
                what,
                registry,
                answer,
            } => Error::Upload {
                what,
                registry,
                problem: UploadProblem::Forgotten { uploads, answer },
            },
            error => error,
        })
    }

    /// Asks the registry how many bytes of an interrupted upload it has. Returns `None` when the session is lost.
    ///
    /// `registry:2` (2.8.2) drops a session when only a part of a PUT or PATCH request has arrived. It answers 404, or,
    /// before it has noticed the interruption, that it has no bytes.
    pub(crate) async fn resume(&mut self, mut session: Session) -> Result<Option<Session>, Error> {
        let request = self.request(Method::GET, &session)?;
        let response = self.exchange(&request).await?;
        if !response.status().is_success() {
            return Ok(None);
        }
        let offset = received(response.headers());
        (session.offset, session.resumed) = (offset, true);
        self.follow(&mut session, &response, &request).await?;
        if (1..=self.content.size).contains(&offset) {
            return Ok(Some(session));
        }
        self.cancel().await;
        Ok(None)
    }

    pub(crate) async fn is_complete(&mut self) -> Result<bool, Error> {
        let repository = self.repository;
        let request = repository.blob_request(Method::HEAD, self.content, Scope::PUSH)?;
        Ok(self.exchange(&request).await?.status().is_success())
    }

    /// Returns the request that ends the session with the last `length` bytes.
    pub(crate) fn closing_request(&self, session: &Session, length: u64) -> Result<Request, Error> {
        let mut request = self.request(Method::PUT, session)?;
        request
            .url
            .query_pairs_mut()
            .append_pair("digest", &self.content.digest.to_string());
        request.headers.insert(CONTENT_TYPE, OCTETS);
        request.headers.insert(CONTENT_LENGTH, length.into());
        Ok(request)
    }

    /// Returns the request that sends the next `length` bytes as a chunk.
    pub(crate) fn chunk_request(&self, session: &Session, length: u64) -> Result<Request, Error> {
        let mut request = self.request(Method::PATCH, session)?;
        request.headers.insert(CONTENT_TYPE, OCTETS);
        request.headers.insert(CONTENT_LENGTH, length.into());
        request
            .headers
            .insert(CONTENT_RANGE, content_range(session.offset, length));
        Ok(request)
    }

    pub(crate) fn request(&self, method: Method, session: &Session) -> Result<Request, Error> {
        self.request_to(method, session.url.clone())
    }

    fn request_to(&self, method: Method, url: Url) -> Result<Request, Error> {
        let request = self
            .repository
            .blob_request(method, self.content, Scope::PUSH)?;
        Ok(Request { url, ..request })
    }

    /// Sends a request without a body until the registry answers. The answer may be a refusal.
    pub(crate) async fn exchange(&mut self, request: &Request) -> Result<Response, Error> {
        let endpoint = &self.repository.endpoint;
        endpoint
            .exchange_within(&mut self.attempts, request, Bytes::new())
            .await
    }
}

/// Returns the request that opens a session for `what`.
pub(super) fn opening_request(
    repository: &RepositoryEndpoint,
    what: &str,
) -> Result<Request, Error> {
    let mut request = repository.request(Method::POST, "blobs/uploads/", what, Scope::PUSH)?;
    request.headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    Ok(request)
}

/// Returns the `Content-Range` of an upload: the positions of the first and the last byte (OCI distribution
/// specification).
pub(crate) fn content_range(start: u64, length: u64) -> HeaderValue {
    let last = (start + length).saturating_sub(1);
    HeaderValue::try_from(format!("{start}-{last}")).unwrap_or(HeaderValue::from_static(""))
}

/// Returns how many bytes the registry has received, by the header `Range: 0-N`, where N is the position of the last
/// byte.
pub(super) fn received(headers: &HeaderMap) -> u64 {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let last = range.and_then(|range| {
        let range = range.trim().trim_start_matches("bytes=");
        range.strip_prefix("0-")?.parse::<u64>().ok()
    });
    // `registry:2` answers `0-0` when it has no bytes. If it has one byte, that byte is sent again.
    let last = last.filter(|last| *last > 0);
    last.map_or(0, |last| last.saturating_add(1))
}

/// Returns the `Location` of an answer. Refuses a location at another host, because the next request has credentials.
fn location(response: &Response, request: &Request) -> Result<Url, Error> {
    let headers = response.headers();
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let unusable = |reason: String| Error::Location {
        what: request.what.clone(),
        registry: request.registry.clone(),
        reason,
    };
    let location = location.ok_or_else(|| unusable("there is no Location header".to_owned()))?;
    if location.trim().is_empty() {
        return Err(unusable("the Location header is empty".to_owned()));
    }
    let asked = response.url();
    let url = asked
        .join(location)
        .map_err(|_| unusable(format!("`{}` is not a URL", one_line(location))))?;
    match difference(asked, &url) {
        None => Ok(url),
        Some(part) => Err(Error::Upload {
            what: request.what.clone(),
            registry: request.registry.clone(),
            problem: UploadProblem::Elsewhere {
                location: one_line(&address(&url)),
                asked: asked.origin().ascii_serialization(),
                part,
            },
        }),
    }
}

/// Returns the first part in which the origins of two URLs differ.
fn difference(one: &Url, other: &Url) -> Option<UrlPart> {
    if one.host_str() != other.host_str() {
        Some(UrlPart::Host)
    } else if one.scheme() != other.scheme() {
        Some(UrlPart::Scheme)
    } else if one.port_or_known_default() != other.port_or_known_default() {
        Some(UrlPart::Port)
    } else {
        None
    }
}

#[cfg(test)]
#[path = "tests/session.rs"]
mod tests;
