//! Registries: the client side of the OCI distribution specification.
//!
//! [`Registries`] is what a process has one of: connections, tokens, credentials. A [`Repository`] is
//! one repository of one registry, as storage (`storage.rs`). Every request goes through `transport.rs`, so that
//! what holds for one (time limits, redirects, credentials, error messages) holds for all. A registry is
//! served by hosts (`routes.rs`): mirrors, and itself. What is sent to one of them is in
//! `HostedRepository`; a [`Repository`] chooses which, and asks the next when one fails (`mirrors.rs`).
//! What is tried again is decided in `retry.rs`: requests with small bodies are repeated as they are
//! (`exchange.rs`), downloads (`download.rs`) and uploads (`blob_upload.rs`, `chunks.rs`) go on where they
//! were. A large blob may come over several connections (`parallel_download.rs`).

mod address;
mod answer;
mod auth;
mod blob_range;
mod blob_reader;
mod blob_upload;
mod challenge;
mod chunks;
mod clients;
mod download;
mod exchange;
mod hosted;
mod login;
mod mirrors;
mod naming;
mod outgoing;
mod pages;
mod parallel_download;
mod piece_buffers;
pub(super) mod probe;
mod realm;
mod referrers;
mod retry;
mod routes;
mod storage;
mod tags;
mod token;
mod transport;
mod upload;
mod upload_session;
mod warnings;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;

use crate::content::{Descriptor, Digest};

use super::blocking;
use super::credentials::CredentialSource;
use super::error::Error;
use super::hosts::{self, Capability, ClientCertificate};
use super::reference::RegistryReference;
use hosted::HostedRepository;
use mirrors::{Hosts, PassedOver};
use routes::{Routes, Way};

pub use referrers::Referrer;
pub use retry::RetryOptions;
pub(crate) use upload_session::OpenUpload;

/// How registries are reached.
///
/// Besides, the environment counts: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in capitals or
/// not. Loopback hosts are reached without a proxy.
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
    /// The certificate to show to registries that want one; not to mirrors.
    pub client_certificate: Option<ClientCertificate>,
    /// The folder that says which mirrors a registry has, and how hosts are reached: an entry for each
    /// registry with a `hosts.toml` as containerd has it, or with Docker's `ca.crt`, `client.cert` and
    /// `client.key`. An entry is read once, when its registry is first asked. `None`:
    /// `$XDG_CONFIG_HOME/wasmcloud-par/hosts`, then `/etc/containerd/certs.d`.
    ///
    /// Mirrors are asked in their order, each once and not for long, then the registry itself. What
    /// they give is trusted by its digest alone. The credentials above are not for them: only what is
    /// stored for the mirror's own host is sent to it.
    pub hosts_directory: Option<PathBuf>,
    /// Over how many connections a blob of 16 MiB or more is downloaded; more than 8 count as 8.
    /// `None`: one.
    ///
    /// Several are faster where each by itself is slow: limited by the registry or its storage, or by
    /// the distance. Where one fills the line, they only cost requests. A registry that does not give
    /// byte ranges is read over one connection. Up to 8 MiB are held in memory.
    pub connections: Option<NonZeroUsize>,
    /// Time limits, and how often a registry is asked again.
    pub retry: RetryOptions,
}

/// The way to all registries: connections, tokens, credentials. Made once, cheap to clone.
#[derive(Clone)]
pub struct Registries {
    options: Arc<RegistryOptions>,
    routes: Arc<Mutex<HashMap<String, Arc<Routes>>>>,
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
    /// [`Error::CertificateAuthority`] and [`Error::ClientCertificate`] when a file of `options`
    /// cannot be read or holds none, [`Error::File`] when `hosts_directory` cannot be read. What it
    /// says of a registry is read with the first request to that.
    pub fn new(options: RegistryOptions) -> Result<Self, Error> {
        clients::check(&options)?;
        options
            .hosts_directory
            .as_deref()
            .map_or(Ok(()), hosts::check)?;
        let options = RegistryOptions {
            retry: options.retry.bounded(),
            ..options
        };
        Ok(Self {
            options: Arc::new(options),
            routes: Arc::default(),
        })
    }

    /// The repository that `reference` is in. Contacts nobody.
    #[must_use]
    pub fn repository(&self, reference: &RegistryReference) -> Repository {
        Repository {
            registries: self.clone(),
            registry: reference.registry().to_owned(),
            name: reference.repository().to_owned(),
            patience: None,
        }
    }

    /// The ways to `registry`, worked out once.
    async fn routes(&self, registry: &str) -> Result<Arc<Routes>, Error> {
        let mut known = self.routes.lock().await;
        if let Some(routes) = known.get(registry) {
            return Ok(Arc::clone(routes));
        }
        let (options, name) = (Arc::clone(&self.options), registry.to_owned());
        let routes = Arc::new(blocking(move || Routes::load(&name, &options)).await?);
        known.insert(registry.to_owned(), Arc::clone(&routes));
        Ok(routes)
    }
}

/// One repository of one registry.
///
/// It is storage for blobs and manifests: it implements [`Fetch`](crate::content::Fetch),
/// [`Resolve`](crate::content::Resolve), [`Push`](crate::content::Push),
/// [`Mount`](crate::content::Mount) and [`Delete`](crate::content::Delete).
#[derive(Clone)]
pub struct Repository {
    registries: Registries,
    registry: String,
    name: String,
    /// How long it may stay away; `None`: as the options have it.
    patience: Option<Duration>,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Repository({})", self.location())
    }
}

impl Repository {
    /// The same for who can do without an answer: a registry that is silent or away is given up after
    /// `patience` at most, and each of its mirrors sooner. One that answers is waited for: a credential
    /// helper may take its time.
    pub(crate) fn in_haste(self, patience: Duration) -> Self {
        let patience = Some(patience);
        Self { patience, ..self }
    }

    /// How long the registry may stay away.
    pub(crate) fn patience(&self) -> Duration {
        let patience = self.registries.options.retry.patience;
        self.patience.map_or(patience, |haste| haste.min(patience))
    }

    /// The manifest that `name`, a tag or a digest, stands for: its bytes, and the descriptor that
    /// they have. One request for each host that is asked.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::NotVerified`] and [`Error::Contradiction`] when the bytes are not
    /// what was asked for or what the registry announced; [`Error::TooLarge`] over
    /// [`MANIFEST_LIMIT`](super::MANIFEST_LIMIT); and everything that keeps a registry from answering.
    pub async fn manifest(&self, name: &str) -> Result<(Descriptor, Bytes), Error> {
        self.first(capability_for(name), |host| async move {
            host.manifest(name).await
        })
        .await
    }

    async fn resolve_name(&self, name: &str) -> Result<Descriptor, Error> {
        self.first(capability_for(name), |host| async move {
            host.resolve_name(name).await
        })
        .await
    }

    /// What the first host gives that can. The error is that of the last, which is the registry itself
    /// unless it may not be asked.
    async fn first<T, F>(
        &self,
        capability: Capability,
        ask: impl Fn(HostedRepository) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let hosts = self.readable(capability).await?;
        hosts.first(ask, |_| true).await
    }

    /// Who is asked.
    async fn readable(&self, capability: Capability) -> Result<Hosts, Error> {
        let (routes, last) = self.routes().await?.readable(capability)?;
        let mut hosts = Hosts {
            mirrors: Vec::new(),
            last: self.at(last.patiently(self.patience)),
            avoided: Vec::new(),
            passed_over: PassedOver::default(),
        };
        for route in routes {
            let mirror = self.at(route.quickly(self.patience.is_some()));
            match route.avoided() {
                Some(why) => {
                    hosts.passed_over.note(route.name(), &why);
                    hosts.avoided.push(mirror);
                }
                None => hosts.mirrors.push(mirror),
            }
        }
        Ok(hosts)
    }

    /// The host that takes content.
    async fn writable(&self) -> Result<HostedRepository, Error> {
        Ok(self.at(self.routes().await?.writable()?))
    }

    fn at(&self, (route, transport): Way) -> HostedRepository {
        HostedRepository {
            route,
            transport,
            registry: self.registry.clone(),
            name: self.name.clone(),
        }
    }

    async fn routes(&self) -> Result<Arc<Routes>, Error> {
        self.registries.routes(&self.registry).await
    }

    fn location(&self) -> String {
        format!("{}/{}", self.registry, self.name)
    }
}

/// Content is trusted by its digest, and so any host may have it; what a tag stands for is not.
fn capability_for(name: &str) -> Capability {
    match name.parse::<Digest>() {
        Ok(_) => Capability::Pull,
        Err(_) => Capability::Resolve,
    }
}

#[cfg(test)]
mod tests;
