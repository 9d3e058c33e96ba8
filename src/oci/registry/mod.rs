//! Registries: the client side of the OCI distribution specification.
//!
//! [`Registries`] is what a process has one of: connections, tokens, credentials. A [`Repository`] is
//! one repository of one registry, as a [`Store`]. Every request goes through `transport.rs`, so that
//! what holds for one (time limits, redirects, credentials, error messages) holds for all.

mod answer;
mod auth;
mod challenge;
mod clients;
mod download;
mod login;
mod outgoing;
mod realm;
mod token;
mod transport;
mod upload;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::content::{Descriptor, Digest, Reader, Source, Store, StoreError};

use super::credentials::CredentialSource;
use super::error::{Error, one_line};
use super::reference::{RegistryReference, is_tag};
use super::{MANIFEST_LIMIT, media_type};
use transport::{Call, Scope, Transport};

/// How registries are reached.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// Where credentials come from.
    pub credentials: CredentialSource,
    /// Plain HTTP to every registry. Loopback hosts are reached by plain HTTP anyway, unless one of
    /// the TLS options below is given.
    pub plain_http: bool,
    /// Any certificate will do. Whoever is in between can read and change everything but content
    /// that is pinned by its digest.
    pub skip_tls_verify: bool,
    /// PEM files with certificate authorities that are trusted besides the system's.
    pub certificate_authorities: Vec<PathBuf>,
}

/// The way to all registries: connections, tokens, credentials. Made once, cheap to clone.
#[derive(Clone)]
pub struct Registries {
    transport: Arc<Transport>,
}

impl std::fmt::Debug for Registries {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registries").finish_non_exhaustive()
    }
}

impl Registries {
    /// Sets the client up. Blocks to read the certificate authorities; contacts nobody.
    ///
    /// # Errors
    ///
    /// [`Error::CertificateAuthority`] when a file of `options` cannot be read or holds no
    /// certificate, [`Error::Client`] when TLS cannot be set up.
    pub fn new(options: RegistryOptions) -> Result<Self, Error> {
        let transport = Arc::new(Transport::new(options)?);
        Ok(Self { transport })
    }

    /// The repository that `reference` is in. Contacts nobody.
    #[must_use]
    pub fn repository(&self, reference: &RegistryReference) -> Repository {
        Repository {
            transport: Arc::clone(&self.transport),
            registry: reference.registry().to_owned(),
            name: reference.repository().to_owned(),
        }
    }
}

/// One repository of one registry, as a [`Store`] for blobs and manifests.
#[derive(Clone)]
pub struct Repository {
    transport: Arc<Transport>,
    registry: String,
    name: String,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Repository({})", self.place())
    }
}

impl Repository {
    /// The manifest that `name`, a tag or a digest, stands for: its bytes, and the descriptor that
    /// they have. One request.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::NotVerified`] and [`Error::Contradiction`] when the bytes are not
    /// what was asked for or what the registry announced; [`Error::TooLarge`] over
    /// [`MANIFEST_LIMIT`]; and everything that keeps a registry from answering.
    pub async fn manifest(&self, name: &str) -> Result<(Descriptor, Bytes), Error> {
        let call = self.manifest_call(Method::GET, name, Scope::PULL)?;
        let what = call.what.clone();
        let response = self.transport.send(&call).await?;
        let announced = Announced::from(response.headers());
        let bytes = self
            .transport
            .read_bounded(response, MANIFEST_LIMIT, &call)
            .await?;
        let asked: Option<Digest> = name.parse().ok();
        for digest in asked.iter().chain(announced.digest.iter()) {
            let expected = Descriptor {
                media_type: String::new(),
                digest: digest.clone(),
                size: bytes.len() as u64,
            };
            super::artifact::verify(&expected, &bytes, || what.clone())?;
        }
        let media_type = match announced.media_type {
            Some(media_type) => media_type,
            None => media_type::of_manifest(&bytes).ok_or_else(|| Error::Malformed {
                what,
                reason: "it names no media type of a manifest".to_owned(),
            })?,
        };
        let digest = asked.unwrap_or_else(|| Digest::of(&bytes));
        let descriptor = Descriptor {
            media_type,
            digest,
            size: bytes.len() as u64,
        };
        Ok((descriptor, bytes))
    }

    /// What `name` stands for, by its headers when they say enough, else by its bytes.
    async fn resolve_name(&self, name: &str) -> Result<Descriptor, Error> {
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

    fn place(&self) -> String {
        format!("{}/{}", self.registry, self.name)
    }

    fn call(&self, method: Method, path: &str, what: &str, actions: Scope) -> Result<Call, Error> {
        let url = self
            .transport
            .url(&self.registry, &format!("v2/{}/{path}", self.name))?;
        Ok(Call {
            method,
            url,
            registry: self.registry.clone(),
            repository: self.name.clone(),
            scope: actions,
            what: format!("{what} of {}", self.place()),
            headers: HeaderMap::new(),
        })
    }

    fn manifest_call(&self, method: Method, name: &str, actions: Scope) -> Result<Call, Error> {
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

    fn blob_call(
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
    async fn has(&self, descriptor: &Descriptor, scope: Scope) -> Result<bool, Error> {
        match self.stored(descriptor, scope).await? {
            Some(stored) => Ok(stored.size.is_none_or(|size| size == descriptor.size)),
            None => Ok(false),
        }
    }

    /// What the registry holds under the digest of `descriptor`; `None` for nothing.
    async fn stored(&self, content: &Descriptor, scope: Scope) -> Result<Option<Announced>, Error> {
        let call = match media_type::is_manifest(&content.media_type) {
            true => self.manifest_call(Method::HEAD, &content.digest.to_string(), scope)?,
            false => self.blob_call(Method::HEAD, content, scope)?,
        };
        let response = self.transport.exchange(&call).await?;
        let elsewhere = response.url().origin() != call.url.origin();
        if elsewhere && response.status().is_client_error() {
            // The registry sent us to its storage, so it has the content; addresses that are signed
            // for GET answer HEAD with 403 (ghcr.io).
            return Ok(Some(Announced::default()));
        }
        match self.transport.check(response, &call).await {
            Ok(response) => Ok(Some(Announced::from(response.headers()))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What the headers of an answer say about content, as far as they say it well.
#[derive(Default)]
struct Announced {
    media_type: Option<String>,
    digest: Option<Digest>,
    size: Option<u64>,
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

#[async_trait]
impl Store for Repository {
    async fn exists(&self, descriptor: &Descriptor) -> Result<bool, StoreError> {
        Ok(self.has(descriptor, Scope::PULL).await?)
    }

    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        Ok(self.download(descriptor, range).await?)
    }

    async fn put(&self, descriptor: &Descriptor, source: &dyn Source) -> Result<(), StoreError> {
        Ok(self.upload(descriptor, source).await?)
    }

    async fn resolve(&self, name: &str) -> Result<Descriptor, StoreError> {
        Ok(self.resolve_name(name).await?)
    }

    /// Sends the manifest, which the repository must hold, again under its new name: registries know
    /// no other way. [`Repository::push_manifest`] saves the detour when the bytes are at hand.
    async fn tag(&self, descriptor: &Descriptor, name: &str) -> Result<(), StoreError> {
        let (_, bytes) = self.manifest(&descriptor.digest.to_string()).await?;
        Ok(self.send_manifest(descriptor, bytes, name).await?)
    }
}

#[cfg(test)]
mod tests;
