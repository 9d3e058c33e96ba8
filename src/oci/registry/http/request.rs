//! Requests that can be sent more than once.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};

use crate::oci::error::{Error, TlsProblem};
use crate::oci::names::authority;

use super::authorities::no_authorities_behind;
use super::blob_body::BlobBody;

/// The permission that a request needs, by its name in the token specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Scope(pub(crate) &'static str);

impl Scope {
    pub(crate) const PULL: Self = Self("pull");
    pub(crate) const PUSH: Self = Self("pull,push");
    pub(crate) const DELETE: Self = Self("delete");
    /// No permission, for requests to the whole registry.
    pub(crate) const NONE: Self = Self("");
}

/// A request without its body.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The name of the endpoint, under which its credentials are stored.
    pub(crate) registry: String,
    /// The repository. It is empty for requests to the whole registry.
    pub(crate) repository: String,
    pub(crate) scope: Scope,
    /// The content that the request is about, for messages: "blob sha256:… of ghcr.io/org/provider".
    pub(crate) what: String,
    pub(crate) headers: HeaderMap,
}

impl Request {
    /// Returns a GET request for `url` in the API of `registry` that needs no permission, because it is not about a
    /// repository. `what` names the content in messages.
    pub(crate) fn of_registry(url: Url, registry: &str, what: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            url,
            registry: registry.to_owned(),
            repository: String::new(),
            scope: Scope::NONE,
            what: what.into(),
            headers: HeaderMap::new(),
        }
    }

    pub(crate) fn address(&self) -> String {
        address(&self.url)
    }

    /// Returns the same request to `url`, which is at another host than the registry. Its authorization is for the
    /// repository in the URL.
    pub(crate) fn elsewhere(&self, url: Url) -> Self {
        Self {
            registry: authority(&url),
            repository: repository(&url).unwrap_or_else(|| self.repository.clone()),
            url,
            ..self.clone()
        }
    }

    pub(crate) fn is_read(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// Awaits `work` for this request for at most `limit`. After that, fails with [`Error::Stalled`].
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let done = tokio::time::timeout(limit, work).await;
        done.unwrap_or_else(|_| Err(self.stalled(limit)))
    }

    /// Returns the error for a transfer without progress for `limit`.
    pub(crate) fn stalled(&self, limit: Duration) -> Error {
        Error::Stalled {
            what: self.what.clone(),
            address: self.address(),
            // Less than a second is shown as one second, and not as zero.
            seconds: limit.as_secs().max(1),
        }
    }

    /// Returns the error for an answer that was not complete after `limit`.
    pub(crate) fn slow(&self, limit: Duration) -> Error {
        let seconds = limit.as_secs().max(1);
        Error::Interrupted {
            what: self.what.clone(),
            address: self.address(),
            source: format!("the answer was not complete after {seconds} s").into(),
        }
    }

    /// Returns the error for an answer with the content encoding `encoding`.
    pub(crate) fn encoded(&self, encoding: String) -> Error {
        Error::Encoded {
            what: self.what.clone(),
            registry: self.registry.clone(),
            encoding,
        }
    }

    /// Returns the error for a request that failed without an answer.
    pub(crate) fn failed(&self, source: reqwest::Error) -> Error {
        request_error(source, &self.registry, &self.what, &self.url)
    }
}

/// The body of a request. Each kind of body can be sent again.
pub(crate) enum Payload<'a> {
    Empty,
    Bytes(Bytes),
    Blob(&'a BlobBody<'a>),
}

/// Returns the repository in a URL of the API: `/v2/REPOSITORY/KIND/NAME`.
fn repository(url: &Url) -> Option<String> {
    let path = url.path().strip_prefix("/v2/")?;
    let kinds = ["/manifests/", "/blobs/", "/tags/", "/referrers/"];
    let ends = kinds.iter().filter_map(|kind| path.rfind(kind));
    let name = path.get(..ends.max()?)?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Returns `url` for messages, without its query, which may contain signatures.
pub(crate) fn address(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// Returns the error for a request to `url` that failed without an answer. The URL is removed from `source`, because it
/// may contain signatures.
pub(crate) fn request_error(
    source: reqwest::Error,
    registry: &str,
    what: &str,
    url: &Url,
) -> Error {
    let asked = source.url().unwrap_or(url);
    let (at, origin) = (address(asked), asked.origin().ascii_serialization());
    let source = source.without_url();
    let (what, registry) = (what.to_owned(), registry.to_owned());
    if let Some(error) = TlsProblem::error_behind(&source).and_then(no_authorities_behind) {
        error
    } else if let Some(problem) = TlsProblem::behind(&source) {
        Error::Tls {
            registry,
            address: origin,
            problem,
            source: source.into(),
        }
    } else if source.is_connect() {
        Error::Unreachable {
            registry,
            address: origin,
            source: source.into(),
        }
    } else {
        Error::Interrupted {
            what,
            address: at,
            source: source.into(),
        }
    }
}
