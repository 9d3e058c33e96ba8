//! One repository at one of the hosts that serve its registry.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::content::{Descriptor, Digest};

use super::super::error::{Error, one_line};
use super::super::manifest::verify;
use super::super::reference::is_tag;
use super::super::{MANIFEST_LIMIT, media_type};
use super::routes::Route;
use super::transport::{Call, Scope, Transport};

/// A repository at one host.
#[derive(Clone)]
pub(super) struct HostedRepository {
    pub(super) route: Arc<Route>,
    pub(super) transport: Arc<Transport>,
    /// The registry as references name it; messages and neighbours are about that.
    pub(super) registry: String,
    pub(super) name: String,
}

impl HostedRepository {
    /// The manifest that `name`, a tag or a digest, stands for.
    pub(super) async fn manifest(&self, name: &str) -> Result<(Descriptor, Bytes), Error> {
        let call = self.manifest_call(Method::GET, name, Scope::PULL)?;
        let what = call.what.clone();
        let (headers, bytes) = self.transport.read(&call, MANIFEST_LIMIT).await?;
        let announced = Announced::from(&headers);
        let asked: Option<Digest> = name.parse().ok();
        for digest in asked.iter().chain(announced.digest.iter()) {
            let expected = Descriptor {
                media_type: String::new(),
                digest: digest.clone(),
                size: bytes.len() as u64,
            };
            verify(&expected, &bytes, || what.clone())?;
        }
        let media_type = match announced.media_type {
            Some(media_type) => media_type,
            None => media_type::of_manifest(&bytes).ok_or_else(|| Error::Malformed {
                what,
                reason: "it names no media type of a manifest".to_owned(),
            })?,
        };
        // By the name that the registry gives it, as in the answer to HEAD: a tag has one digest.
        let digest = asked.or(announced.digest);
        let digest = digest.unwrap_or_else(|| Digest::of(&bytes));
        let descriptor = Descriptor {
            media_type,
            digest,
            size: bytes.len() as u64,
        };
        Ok((descriptor, bytes))
    }

    /// What `name` stands for, by its headers when they say enough, else by its bytes.
    pub(super) async fn resolve_name(&self, name: &str) -> Result<Descriptor, Error> {
        if self.transport.is_mirror() && name.parse::<Digest>().is_ok() {
            // Only the bytes prove what they are: a wrong size would stick.
            return Ok(self.manifest(name).await?.0);
        }
        let call = self.manifest_call(Method::HEAD, name, Scope::PULL)?;
        let response = self.transport.send(&call).await?;
        let announced = Announced::from(response.headers());
        // No manifest is empty; a length of 0 only says that an answer to HEAD has no body.
        let size = announced.size.filter(|size| *size > 0);
        let (Some(media_type), Some(digest), Some(size)) =
            (announced.media_type, announced.digest, size)
        else {
            return Ok(self.manifest(name).await?.0);
        };
        if size > MANIFEST_LIMIT {
            return Err(Error::TooLarge {
                what: call.what,
                limit: MANIFEST_LIMIT,
            });
        }
        match name.parse::<Digest>() {
            Ok(asked) if asked.algorithm() != digest.algorithm() => {
                Ok(self.manifest(name).await?.0)
            }
            Ok(asked) if asked != digest => Err(Error::Contradiction {
                what: call.what,
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

    pub(super) fn location(&self) -> String {
        format!("{}/{}", self.registry, self.name)
    }

    pub(super) fn call(
        &self,
        method: Method,
        path: &str,
        what: &str,
        actions: Scope,
    ) -> Result<Call, Error> {
        Ok(Call {
            method,
            url: self.transport.url(&format!("{}/{path}", self.name))?,
            registry: self.transport.name().to_owned(),
            repository: self.name.clone(),
            scope: actions,
            what: format!("{what} of {}", self.location()),
            headers: HeaderMap::new(),
        })
    }

    pub(super) fn manifest_call(
        &self,
        method: Method,
        name: &str,
        actions: Scope,
    ) -> Result<Call, Error> {
        // The name becomes part of a URL.
        if !is_tag(name) && name.parse::<Digest>().is_err() {
            return Err(Error::Name {
                name: one_line(name),
            });
        }
        let what = format!("manifest {name}");
        let mut call = self.call(method, &format!("manifests/{name}"), &what, actions)?;
        for media_type in [
            media_type::OCI_MANIFEST,
            media_type::OCI_INDEX,
            media_type::DOCKER_MANIFEST,
            media_type::DOCKER_MANIFEST_LIST,
        ] {
            call.headers
                .append(ACCEPT, HeaderValue::from_static(media_type));
        }
        Ok(call)
    }

    pub(super) fn blob_call(
        &self,
        method: Method,
        descriptor: &Descriptor,
        scope: Scope,
    ) -> Result<Call, Error> {
        let digest = &descriptor.digest;
        self.call(
            method,
            &format!("blobs/{digest}"),
            &format!("blob {digest}"),
            scope,
        )
    }

    /// Whether the content is there, as far as the registry says; content of another size is not.
    pub(super) async fn has(&self, descriptor: &Descriptor, scope: Scope) -> Result<bool, Error> {
        match self.stored(descriptor, scope).await? {
            Some(stored) => Ok(stored.size.is_none_or(|size| size == descriptor.size)),
            None => Ok(false),
        }
    }

    /// What the registry holds under the digest of `descriptor`; `None` for nothing.
    pub(super) async fn stored(
        &self,
        content: &Descriptor,
        scope: Scope,
    ) -> Result<Option<Announced>, Error> {
        let call = match media_type::is_manifest(&content.media_type) {
            true => self.manifest_call(Method::HEAD, &content.digest.to_string(), scope)?,
            false => self.blob_call(Method::HEAD, content, scope)?,
        };
        let response = self.transport.exchange(&call, Bytes::new()).await?;
        let elsewhere = response.url().origin() != call.url.origin();
        if elsewhere && response.status().is_client_error() {
            // The registry sent us to its storage, so it has the content; addresses that are signed
            // for GET answer HEAD with 403 (ghcr.io).
            return Ok(Some(Announced::default()));
        }
        match self.transport.check(response, &call).await {
            Ok(response) => {
                let announced = Announced::from(response.headers());
                // Some servers say 0 because an answer to HEAD has no body.
                let size = announced.size.filter(|size| *size > 0 || content.size == 0);
                Ok(Some(Announced { size, ..announced }))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What the headers of an answer say about content, as far as they say it well.
#[derive(Default)]
pub(super) struct Announced {
    pub(super) media_type: Option<String>,
    pub(super) digest: Option<Digest>,
    pub(super) size: Option<u64>,
}

impl From<&HeaderMap> for Announced {
    fn from(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let media_type = text(CONTENT_TYPE.as_str())
            .map(|value| value.split(';').next().unwrap_or(value).trim().to_owned())
            .filter(|media_type| media_type::is_manifest(media_type));
        Self {
            media_type,
            digest: text("docker-content-digest").and_then(|value| value.trim().parse().ok()),
            size: text(CONTENT_LENGTH.as_str()).and_then(|value| value.parse().ok()),
        }
    }
}
