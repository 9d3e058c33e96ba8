//! The client for all registries.

use std::sync::Arc;

use crate::oci::error::Error;
use crate::oci::hosts::{self, Capability};
use crate::oci::reference::{ParseReferenceError, Place, RegistryReference};

use super::endpoints::{EndpointCache, RegistryEndpoints};
use super::http::{Request, check_certificates, is_page};
use super::options::RegistryOptions;
use super::probe::Probe;
use super::repository::{AvoidedRepository, Repository};
#[cfg(feature = "sigstore")]
use super::services::Services;

/// The client for all registries, with connections, tokens and credentials. Create one for each process. It is cheap to
/// clone.
#[derive(Clone)]
pub struct Registries {
    endpoints: Arc<EndpointCache>,
    /// A repository that is not read in place of those of other registries.
    avoided: Option<AvoidedRepository>,
}

impl std::fmt::Debug for Registries {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registries").finish_non_exhaustive()
    }
}

impl Registries {
    /// Sets the client up. Blocks to read the certificate authorities, and sends no request.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when a file of `options` cannot be read, [`Error::CertificateAuthority`] and
    /// [`Error::ClientCertificate`] when it has no usable certificate, [`Error::HostsDirectory`] when `hosts_directory`
    /// cannot be read, [`Error::Reference`] when settings are for a name that is not the name of a registry. The entry
    /// of a registry in the directory is read at the first request to that registry.
    pub fn new(options: RegistryOptions) -> Result<Self, Error> {
        let mut options = options;
        options.credentials.isolated |= options.isolated;
        check_certificates(&options)?;
        for registry in options.registries() {
            check_registry(registry)?;
            check_certificates(&options.of(registry))?;
        }
        if let Some(directory) = &options.hosts_directory {
            hosts::check(directory)?;
        }
        let options = RegistryOptions {
            retry: options.retry.bounded(),
            ..options
        };
        Ok(Self {
            endpoints: Arc::new(EndpointCache::new(options)),
            avoided: None,
        })
    }

    /// Returns a client that does not read from `destination` in place of repositories of other registries, even if a mirror
    /// is there. Both share connections and tokens. Sends no request.
    pub(crate) async fn avoiding(&self, destination: &Repository) -> Result<Self, Error> {
        Ok(Self {
            endpoints: Arc::clone(&self.endpoints),
            avoided: destination.to_avoid().await?,
        })
    }

    /// Returns whether the settings of `registry` allow the tag `latest`. `None` when they leave this open.
    pub(crate) fn allows_latest(&self, registry: &str) -> Option<bool> {
        self.endpoints.options().settings(registry)?.allow_latest
    }

    /// Returns the repository of `reference`. Sends no request.
    #[must_use]
    pub fn repository(&self, reference: &RegistryReference) -> Repository {
        Repository::new(
            Arc::clone(&self.endpoints),
            self.avoided.clone(),
            reference.registry(),
            reference.repository(),
        )
    }

    /// Returns the client for services that are not registries. Sends no request.
    #[cfg(feature = "sigstore")]
    pub(crate) fn services(&self) -> Services {
        Services::new(self.endpoints.options())
    }

    /// Returns the URL of the API of the host that receives pushes for `registry`, such as
    /// `https://registry.example.com/v2/`.
    pub(crate) async fn push_url(&self, registry: &str) -> Result<String, Error> {
        let endpoints = self.endpoints.of(registry).await?;
        Ok(endpoints.writable()?.url("")?.to_string())
    }

    /// Sends the credentials for `registry`, a host with an optional port, to the root of its API. Returns whether the
    /// registry has checked them. A registry that requires no credentials there does not check them.
    ///
    /// # Errors
    ///
    /// [`Error::CredentialsRefused`] when they are wrong, [`Error::CredentialsMissing`] when there are none,
    /// [`Error::NotARegistry`] for a web page or HTTP 404, and the errors of any request to a registry.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "the command logs in"))]
    pub async fn log_in(&self, registry: &str) -> Result<bool, Error> {
        let endpoints = self.endpoints.of(registry).await?;
        // Mirrors are left out, because they have their own credentials.
        let endpoint = endpoints.readable(Capability::Resolve, None)?.last;
        let request = Request::of_registry(endpoint.url("")?, registry, "login");
        let not_a_registry = |reason: &str| Error::NotARegistry {
            address: request.address(),
            reason: reason.to_owned(),
        };
        let response = match endpoint.send(&request).await {
            Err(Error::NotFound { .. }) => return Err(not_a_registry("it answers with HTTP 404")),
            response => response?,
        };
        if is_page(response.headers()) {
            return Err(not_a_registry("it answers with a web page"));
        }
        Ok(endpoint.authenticator().has_authenticated(&request).await)
    }

    /// Records that the cache answered instead of a registry. `stale` says whether its answer may be out of date.
    pub(crate) fn note_cached(&self, stale: bool) {
        if let Some(answering) = &self.endpoints.options().answering {
            answering.add_cache(stale);
        }
    }

    /// Returns the endpoints of `registry`. Sends no request.
    pub(super) async fn endpoints_of(
        &self,
        registry: &str,
    ) -> Result<Arc<RegistryEndpoints>, Error> {
        self.endpoints.of(registry).await
    }

    /// Returns probes of the endpoints for `place`: the mirrors, and the registry itself. Sends no
    /// request.
    pub(crate) async fn probes(&self, place: &Place) -> Result<(Vec<Probe>, Probe), Error> {
        let (mirrors, itself) = self.endpoints.of(place.registry()).await?.probes()?;
        let mirrors = mirrors.into_iter().map(|mirror| Probe::new(place, mirror));
        Ok((mirrors.collect(), Probe::new(place, itself)))
    }

    /// Returns a probe of the endpoint that receives pushes for `place`. Sends no request.
    pub(crate) async fn push_probe(&self, place: &Place) -> Result<Probe, Error> {
        let endpoints = self.endpoints.of(place.registry()).await?;
        Ok(Probe::new(place, endpoints.writable()?.quick()))
    }
}

/// Checks that `name` is the name of a registry, without a scheme or a repository.
fn check_registry(name: &str) -> Result<(), Error> {
    let place: Place = name.parse()?;
    if place.registry().eq_ignore_ascii_case(name) {
        return Ok(());
    }
    let text = name.to_owned();
    Err(ParseReferenceError::Registry { text }.into())
}
