//! One repository at one endpoint: its requests and its content.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_RANGE, HeaderMap, HeaderValue, RANGE, WWW_AUTHENTICATE};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Map, Value};

use crate::content::{Descriptor, Digest, ErrorKind, Uploads};
use crate::oci::error::{Error, one_line};
use crate::oci::manifest::{MANIFEST_LIMIT, verify};
use crate::oci::media_type;
use crate::oci::reference::is_tag;

use super::endpoints::Endpoint;
use super::http::{Announced, Request, Scope, is_page, media_type_of, says_nothing};

/// A repository at one endpoint of its registry.
#[derive(Clone)]
pub(crate) struct RepositoryEndpoint {
    pub(crate) endpoint: Endpoint,
    /// The registry as in references, even when the endpoint is a mirror.
    pub(crate) registry: String,
    pub(crate) name: String,
    /// The scope of the tokens for reading. A push reads with the tokens of the push.
    pub(crate) reading: Scope,
    /// Remembers uploads of large blobs.
    pub(crate) uploads: Option<Arc<dyn Uploads>>,
}

impl RepositoryEndpoint {
    /// Returns the repository for messages: `registry/repository`.
    pub(crate) fn location(&self) -> String {
        format!("{}/{}", self.registry, self.name)
    }

    /// Returns the verified manifest that `name`, a tag or a digest, names.
    pub(crate) async fn manifest(&self, name: &str) -> Result<(Descriptor, Bytes), Error> {
        let request = self.manifest_request(Method::GET, name, self.reading)?;
        let (headers, bytes) = self.endpoint.read(&request, MANIFEST_LIMIT).await?;
        let announced = Announced::from(&headers);
        let asked: Option<Digest> = name.parse().ok();
        for digest in asked.iter().chain(announced.digest.iter()) {
            let expected = Descriptor {
                media_type: String::new(),
                digest: digest.clone(),
                size: bytes.len() as u64,
            };
            verify(&expected, &bytes, || request.what.clone())?;
        }
        let media_type = match announced.media_type {
            Some(media_type) => media_type,
            None => media_type::of_manifest(&bytes)
                .ok_or_else(|| not_a_manifest(&request, &headers, &bytes))?,
        };
        // The digest that the registry announces is used, as in the answer to HEAD, so that a tag always has the same
        // digest of the same algorithm.
        let digest = asked.or(announced.digest);
        let digest = digest.unwrap_or_else(|| Digest::of(&bytes));
        let descriptor = Descriptor {
            media_type: media_type.to_owned(),
            digest,
            size: bytes.len() as u64,
        };
        Ok((descriptor, bytes))
    }

    /// Returns the descriptor of the manifest that `name` names: from the headers of HEAD if they are complete, or else
    /// from the manifest itself. If the registry does not support HEAD, sends GET.
    pub(crate) async fn resolve_name(&self, name: &str) -> Result<Descriptor, Error> {
        self.resolve_by_head(name, false).await
    }

    /// Returns the descriptor of the manifest that `tag` names, or `None` when the tag does not exist. Trusts an answer
    /// 404 to HEAD, so that a new tag takes one request.
    pub(crate) async fn tagged(&self, tag: &str) -> Result<Option<Descriptor>, Error> {
        match self.resolve_by_head(tag, true).await {
            Err(Error::NotFound { .. }) => Ok(None),
            found => Ok(Some(found?)),
        }
    }

    /// Resolves `name` by HEAD, or by GET if the registry does not support HEAD. `believes_missing` says whether an
    /// answer 404 to HEAD is trusted.
    async fn resolve_by_head(
        &self,
        name: &str,
        believes_missing: bool,
    ) -> Result<Descriptor, Error> {
        let asked: Option<Digest> = name.parse().ok();
        if self.endpoint.is_mirror() && asked.is_some() {
            // The size that a mirror announces cannot be verified, but the bytes of the manifest can.
            return Ok(self.manifest(name).await?.0);
        }
        let request = self.manifest_request(Method::HEAD, name, self.reading)?;
        let response = self.endpoint.head(&request).await?;
        let is_answer = |response: &Response| {
            let is_missing = believes_missing && response.status() == StatusCode::NOT_FOUND;
            is_missing
                || !says_nothing(response.status()) && !is_refused_by_storage(response, &request)
        };
        let Some(response) = response.filter(is_answer) else {
            return Ok(self.manifest(name).await?.0);
        };
        let response = self.endpoint.check(response, &request).await?;
        let announced = Announced::from(response.headers());
        // No manifest is empty. A length of 0 only means that the answer to HEAD has no body.
        let size = announced.size.filter(|size| *size > 0);
        let (Some(media_type), Some(digest), Some(size)) =
            (announced.media_type, announced.digest, size)
        else {
            return Ok(self.manifest(name).await?.0);
        };
        if size > MANIFEST_LIMIT {
            return Err(Error::too_large(request.what, MANIFEST_LIMIT));
        }
        match asked {
            Some(asked) if asked.algorithm() != digest.algorithm() => {
                Ok(self.manifest(name).await?.0)
            }
            Some(asked) if asked != digest => Err(Error::Contradiction {
                what: request.what,
                announced: asked.to_string(),
                actual: digest.to_string(),
            }),
            _ => Ok(Descriptor {
                media_type: media_type.to_owned(),
                digest,
                size,
            }),
        }
    }

    /// Returns whether the repository has the content, by the answer of the registry. Content of another size does not
    /// count. Trusts an answer 404, so that new content takes one request.
    pub(crate) async fn has(&self, content: &Descriptor, scope: Scope) -> Result<bool, Error> {
        let stored = match self.look(content, scope).await? {
            Seen::Stored(announced) => Some(announced),
            Seen::Unsaid if !media_type::is_manifest(&content.media_type) => {
                match self.try_blob(content, scope).await {
                    Err(error)
                        if !matches!(error.kind(), ErrorKind::Denied | ErrorKind::Unavailable) =>
                    {
                        None
                    }
                    tried => tried?,
                }
            }
            Seen::Missing | Seen::Unsaid => None,
        };
        Ok(stored.is_some_and(|stored| stored.size.is_none_or(|size| size == content.size)))
    }

    /// Returns the headers for the content that the registry has under the digest of `content`, or `None` when it has
    /// none. A refusal of HEAD is not trusted, because some registries answer 404 to every HEAD. Headers that
    /// contradict `content` are not trusted either, unless GET gives them too, because some servers announce the size
    /// of a web page or of compressed content.
    pub(crate) async fn stored(
        &self,
        content: &Descriptor,
        scope: Scope,
    ) -> Result<Option<Announced>, Error> {
        let announced = match self.look(content, scope).await? {
            Seen::Stored(announced) if announced.fits(content) => return Ok(Some(announced)),
            Seen::Stored(announced) => Some(announced),
            Seen::Missing | Seen::Unsaid => None,
        };
        match (self.get_stored(content, scope).await, announced) {
            (Err(error), _) if error.kind() == ErrorKind::Unavailable => Err(error),
            (Ok(None) | Err(_), Some(announced)) => Ok(Some(announced)),
            (stored, _) => stored,
        }
    }

    /// Returns the headers for the content under the digest of `content`, by GET.
    async fn get_stored(
        &self,
        content: &Descriptor,
        scope: Scope,
    ) -> Result<Option<Announced>, Error> {
        if !media_type::is_manifest(&content.media_type) {
            return self.try_blob(content, scope).await;
        }
        match self.manifest(&content.digest.to_string()).await {
            Ok((manifest, _)) => Ok(Some(Announced {
                media_type: None,
                digest: Some(manifest.digest),
                size: Some(manifest.size),
            })),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a HEAD request for `content`.
    async fn look(&self, content: &Descriptor, scope: Scope) -> Result<Seen, Error> {
        let request = self.content_request(Method::HEAD, content, scope)?;
        let Some(response) = self.endpoint.head(&request).await? else {
            return Ok(Seen::Unsaid);
        };
        if is_refused_by_storage(&response, &request) {
            // The registry has redirected to its storage, so it has the content.
            return Ok(Seen::Stored(Announced::default()));
        }
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(Seen::Missing);
        }
        if says_nothing(response.status()) {
            return Ok(Seen::Unsaid);
        }
        let response = self.endpoint.check(response, &request).await?;
        let announced = Announced::from(response.headers());
        // Some servers announce a size of 0, because an answer to HEAD has no body.
        let size = announced.size.filter(|size| *size > 0 || content.size == 0);
        Ok(Seen::Stored(Announced { size, ..announced }))
    }

    /// Sends a GET request for the first byte of a blob, for registries that do not support HEAD. When the answer has
    /// all bytes, only its headers are read.
    async fn try_blob(
        &self,
        content: &Descriptor,
        scope: Scope,
    ) -> Result<Option<Announced>, Error> {
        let mut request = self.blob_request(Method::GET, content, scope)?;
        let first = HeaderValue::from_static("bytes=0-0");
        request.headers.insert(RANGE, first);
        let response = self.endpoint.exchange(&request, Bytes::new()).await?;
        // An empty blob has no first byte.
        let is_empty = response.status() == StatusCode::RANGE_NOT_SATISFIABLE;
        if is_empty || is_refused_by_storage(&response, &request) {
            return Ok(Some(Announced::default()));
        }
        let response = match self.endpoint.check(response, &request).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            checked => checked?,
        };
        let announced = Announced::from(response.headers());
        let range = response.headers().get(CONTENT_RANGE);
        let total = range.and_then(|range| range.to_str().ok()?.rsplit('/').next()?.parse().ok());
        let size = match response.status() {
            StatusCode::PARTIAL_CONTENT => total,
            _ => announced.size,
        };
        Ok(Some(Announced { size, ..announced }))
    }

    pub(crate) async fn delete_manifest(&self, digest: &Digest) -> Result<(), Error> {
        let name = digest.to_string();
        let request = self.manifest_request(Method::DELETE, &name, Scope::DELETE)?;
        self.endpoint.send(&request).await.map(drop)
    }

    /// Asks the registry to remove the tag, but not the manifest that it names (OCI distribution specification 1.1,
    /// "Deleting tags").
    pub(crate) async fn delete_tag(&self, tag: &str) -> Result<(), Error> {
        let request = self.manifest_request(Method::DELETE, tag, Scope::DELETE)?;
        self.endpoint.send(&request).await.map(drop)
    }

    pub(crate) async fn delete(&self, content: &Descriptor) -> Result<(), Error> {
        let request = self.content_request(Method::DELETE, content, Scope::DELETE)?;
        self.endpoint.send(&request).await.map(drop)
    }

    /// Returns a request for `path` of the repository. `what` names the content in messages.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        what: &str,
        scope: Scope,
    ) -> Result<Request, Error> {
        Ok(Request {
            method,
            url: self.endpoint.url(&format!("{}/{path}", self.name))?,
            registry: self.endpoint.name().to_owned(),
            repository: self.name.clone(),
            scope,
            what: format!("{what} of {}", self.location()),
            headers: HeaderMap::new(),
        })
    }

    /// Returns a request for the manifest that `name`, a tag or a digest, names. Refuses any other name, because the
    /// name becomes a part of the URL.
    pub(crate) fn manifest_request(
        &self,
        method: Method,
        name: &str,
        scope: Scope,
    ) -> Result<Request, Error> {
        if !is_tag(name) && name.parse::<Digest>().is_err() {
            return Err(Error::name(name));
        }
        let what = format!("manifest {name}");
        let mut request = self.request(method, &format!("manifests/{name}"), &what, scope)?;
        let accepted = HeaderValue::from_static(media_type::ACCEPTED);
        request.headers.insert(ACCEPT, accepted);
        Ok(request)
    }

    pub(crate) fn blob_request(
        &self,
        method: Method,
        content: &Descriptor,
        scope: Scope,
    ) -> Result<Request, Error> {
        let digest = &content.digest;
        let (path, what) = (format!("blobs/{digest}"), format!("blob {digest}"));
        self.request(method, &path, &what, scope)
    }

    fn content_request(
        &self,
        method: Method,
        content: &Descriptor,
        scope: Scope,
    ) -> Result<Request, Error> {
        if media_type::is_manifest(&content.media_type) {
            self.manifest_request(method, &content.digest.to_string(), scope)
        } else {
            self.blob_request(method, content, scope)
        }
    }
}

/// Returns the error for a manifest whose type is not known.
fn not_a_manifest(request: &Request, headers: &HeaderMap, bytes: &[u8]) -> Error {
    let what = request.what.clone();
    if is_page(headers) {
        return Error::malformed(what, "it is a web page, which no registry answers with");
    }
    let document: Map<String, Value> = match serde_json::from_slice(bytes) {
        Ok(document) => document,
        Err(_) => return Error::malformed(what, "it is not the JSON of a manifest"),
    };
    let own = document.get("mediaType").and_then(Value::as_str);
    match own.or(media_type_of(headers)) {
        None => Error::malformed(what, "it has no media type of a manifest"),
        Some(media_type) => Error::UnsupportedManifest {
            what,
            media_type: one_line(media_type),
        },
    }
}

/// The result of a HEAD request for content.
enum Seen {
    Stored(Announced),
    Missing,
    /// The registry does not support HEAD.
    Unsaid,
}

/// Returns whether the request was redirected to storage that has refused it. A URL that is signed for GET answers HEAD
/// with 403 (ghcr.io).
fn is_refused_by_storage(response: &Response, request: &Request) -> bool {
    let redirected = response.url().origin() != request.url.origin();
    // Another registry, to which the registry redirected, would ask for credentials or answer 404.
    let is_storage = !response.headers().contains_key(WWW_AUTHENTICATE)
        && response.status() != StatusCode::NOT_FOUND;
    redirected && is_storage && response.status().is_client_error()
}
