//! One repository at one endpoint: its requests, and what it holds.

use bytes::Bytes;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode};

use crate::content::{Descriptor, Digest};
use crate::oci::error::Error;
use crate::oci::manifest::{MANIFEST_LIMIT, verify};
use crate::oci::media_type;
use crate::oci::reference::is_tag;

use super::endpoints::Endpoint;
use super::http::{Announced, Request, Scope};

/// A repository at one endpoint of its registry.
#[derive(Clone)]
pub(crate) struct RepositoryEndpoint {
    pub(crate) endpoint: Endpoint,
    /// The registry as it stands in references, also when the endpoint is a mirror.
    pub(crate) registry: String,
    pub(crate) name: String,
}

impl RepositoryEndpoint {
    /// Returns the repository for messages: `registry/repository`.
    pub(crate) fn location(&self) -> String {
        format!("{}/{}", self.registry, self.name)
    }

    /// Returns the manifest `name`, a tag or a digest, verified.
    pub(crate) async fn manifest(&self, name: &str) -> Result<(Descriptor, Bytes), Error> {
        let request = self.manifest_request(Method::GET, name, Scope::PULL)?;
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
            None => media_type::of_manifest(&bytes).ok_or_else(|| {
                Error::malformed(request.what, "it names no media type of a manifest")
            })?,
        };
        // The digest of the registry, as in the answer to HEAD: a tag has one digest, of one algorithm.
        let digest = asked.or(announced.digest);
        let digest = digest.unwrap_or_else(|| Digest::of(&bytes));
        let descriptor = Descriptor {
            media_type,
            digest,
            size: bytes.len() as u64,
        };
        Ok((descriptor, bytes))
    }

    /// Returns the descriptor of the manifest `name`: from the headers when they are complete, else from
    /// the manifest itself.
    pub(crate) async fn resolve_name(&self, name: &str) -> Result<Descriptor, Error> {
        let asked: Option<Digest> = name.parse().ok();
        if self.endpoint.is_mirror() && asked.is_some() {
            // Only the bytes of a mirror can be verified, and not the size that it announces.
            return Ok(self.manifest(name).await?.0);
        }
        let request = self.manifest_request(Method::HEAD, name, Scope::PULL)?;
        let response = self.endpoint.send(&request).await?;
        let announced = Announced::from(response.headers());
        // No manifest is empty. A length of 0 means that an answer to HEAD has no body.
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
                media_type,
                digest,
                size,
            }),
        }
    }

    /// Returns whether the repository has the content, as far as the registry knows. Content of another
    /// size is not the content.
    pub(crate) async fn has(&self, content: &Descriptor, scope: Scope) -> Result<bool, Error> {
        let stored = self.stored(content, scope).await?;
        Ok(stored.is_some_and(|stored| stored.size.is_none_or(|size| size == content.size)))
    }

    /// Returns what the registry holds under the digest of `content`, or `None` when it holds nothing.
    pub(crate) async fn stored(
        &self,
        content: &Descriptor,
        scope: Scope,
    ) -> Result<Option<Announced>, Error> {
        let request = self.content_request(Method::HEAD, content, scope)?;
        let response = self.endpoint.exchange(&request, Bytes::new()).await?;
        let redirected = response.url().origin() != request.url.origin();
        let is_storage = !response.headers().contains_key(WWW_AUTHENTICATE);
        let status = response.status();
        if redirected && is_storage && status.is_client_error() && status != StatusCode::NOT_FOUND {
            // The registry redirected to its storage, so it has the content. URLs that are signed for
            // GET answer HEAD with 403 (ghcr.io).
            return Ok(Some(Announced::default()));
        }
        match self.endpoint.check(response, &request).await {
            Ok(response) => {
                let announced = Announced::from(response.headers());
                // Some servers announce 0 because an answer to HEAD has no body.
                let size = announced.size.filter(|size| *size > 0 || content.size == 0);
                Ok(Some(Announced { size, ..announced }))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn delete_manifest(&self, digest: &Digest) -> Result<(), Error> {
        let name = digest.to_string();
        let request = self.manifest_request(Method::DELETE, &name, Scope::DELETE)?;
        self.endpoint.send(&request).await.map(drop)
    }

    pub(crate) async fn delete(&self, content: &Descriptor) -> Result<(), Error> {
        let request = self.content_request(Method::DELETE, content, Scope::DELETE)?;
        self.endpoint.send(&request).await.map(drop)
    }

    /// Returns a request for `path` of the repository; `what` names it in messages.
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

    /// Returns a request for the manifest `name`, a tag or a digest. Refuses any other name, because it
    /// becomes part of a URL.
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
        for media_type in [
            media_type::OCI_MANIFEST,
            media_type::OCI_INDEX,
            media_type::DOCKER_MANIFEST,
            media_type::DOCKER_MANIFEST_LIST,
        ] {
            request
                .headers
                .append(ACCEPT, HeaderValue::from_static(media_type));
        }
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
