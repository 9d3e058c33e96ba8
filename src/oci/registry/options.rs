//! The options of the registry client.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::content::AnsweringHosts;
use crate::oci::credentials::CredentialSource;
use crate::oci::hosts::ClientCertificate;
use crate::oci::names::canonical_name;

use super::settings::RegistrySettings;

/// The longest time limit. Points in time that are further away cannot be computed on all platforms.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The longest silence of a mirror: enough to get a manifest from its origin, and short for one that is
/// away.
const MIRROR_STALL_TIMEOUT: Duration = Duration::from_secs(5);

/// How registries are reached.
///
/// Proxies are taken from the environment variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and
/// `NO_PROXY`, in upper or lower case, by the rules of Go's `httpproxy`. A variable that names no proxy is an
/// error ([`ProxyError::Variable`](crate::oci::ProxyError::Variable)). Loopback hosts are reached without a proxy.
/// [`ClientOptions::isolated`](crate::client::ClientOptions::isolated) leaves all variables alone.
///
/// ```
/// use std::time::Duration;
/// use wasmcloud_par::oci::{RegistryOptions, RetryOptions};
///
/// let options = RegistryOptions::default()
///     .certificate_authority("/etc/ssl/private-ca.pem")
///     .retry(RetryOptions::default().patience(Duration::from_secs(10)));
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// Where credentials come from.
    pub credentials: CredentialSource,
    /// Whether every registry is reached by plain HTTP. Default: only loopback hosts are, unless one of
    /// the TLS options below is set. With certificate authorities alone, a loopback host is reached by TLS if it
    /// speaks TLS.
    pub plain_http: bool,
    /// Whether certificates are accepted without verification. Everything but content that is pinned by
    /// its digest can then be read and changed on the way. Default: no.
    pub skip_tls_verify: bool,
    /// PEM files with certificate authorities that are trusted in addition to those of the system.
    pub certificate_authorities: Vec<PathBuf>,
    /// The client certificate for registries that ask for one. Mirrors do not get it. Default: none.
    pub client_certificate: Option<ClientCertificate>,
    /// The directory with an entry for each registry that has mirrors or is reached in a special way: a
    /// `hosts.toml` in containerd's format, or Docker's `ca.crt`, `client.cert` and `client.key`.
    /// Default: `$XDG_CONFIG_HOME/wasmcloud-par/hosts`, then `/etc/containerd/certs.d`.
    ///
    /// An entry is read with the first request to its registry, and again when the registry has not been
    /// asked for long and many others have been.
    ///
    /// Mirrors are asked first, in their order, once each and for a few seconds; then the registry
    /// itself. The content of a mirror is trusted by its digest alone. A mirror gets the credentials
    /// that are stored for its own host, and never those of the registry.
    pub hosts_directory: Option<PathBuf>,
    /// The number of connections over which a blob of 16 MiB or more is downloaded, at most 8. Default:
    /// one.
    ///
    /// Several connections are faster where the registry, its storage or the distance limit each of
    /// them. Where one connection fills the line, more of them only cost requests. A registry without
    /// byte ranges is read over one connection. Up to 8 MiB are held in memory.
    pub connections: Option<NonZeroUsize>,
    /// Time limits, and how often a request is repeated.
    pub retry: RetryOptions,
    /// Records which hosts answer. `None`: nothing is recorded.
    pub(crate) answering: Option<AnsweringHosts>,
    /// Whether environment variables, and files that are not named here, are left alone.
    pub(crate) isolated: bool,
    /// By the names of registries, as the program writes them.
    pub(crate) settings: BTreeMap<String, RegistrySettings>,
}

impl RegistryOptions {
    /// Sets where credentials come from.
    #[must_use]
    pub fn credentials(mut self, credentials: CredentialSource) -> Self {
        self.credentials = credentials;
        self
    }

    /// Sets whether every registry is reached by plain HTTP.
    #[must_use]
    pub fn plain_http(self, plain_http: bool) -> Self {
        Self { plain_http, ..self }
    }

    /// Sets whether certificates are accepted without verification.
    #[must_use]
    pub fn skip_tls_verify(mut self, skip_tls_verify: bool) -> Self {
        self.skip_tls_verify = skip_tls_verify;
        self
    }

    /// Adds a PEM file with certificate authorities to trust.
    #[must_use]
    pub fn certificate_authority(mut self, path: impl Into<PathBuf>) -> Self {
        self.certificate_authorities.push(path.into());
        self
    }

    /// Sets the client certificate for registries that ask for one.
    #[must_use]
    pub fn client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.client_certificate = Some(certificate);
        self
    }

    /// Sets the directory that describes mirrors and how hosts are reached.
    #[must_use]
    pub fn hosts_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.hosts_directory = Some(directory.into());
        self
    }

    /// Sets the number of connections over which a large blob is downloaded.
    #[must_use]
    pub fn connections(mut self, connections: NonZeroUsize) -> Self {
        self.connections = Some(connections);
        self
    }

    /// Sets how `registry` is reached, where that differs from these options. The name is that of references, such
    /// as `ghcr.io` or `localhost:5000`. [`Client::new`](crate::client::Client::new) refuses any other.
    #[must_use]
    pub fn for_registry(mut self, registry: &str, settings: RegistrySettings) -> Self {
        let name = canonical_name(registry);
        // The last of two spellings counts.
        self.settings
            .retain(|known, _| canonical_name(known) != name);
        self.settings.insert(registry.to_owned(), settings);
        self
    }

    /// Returns the settings of `registry`, if it has any.
    pub(super) fn settings(&self, registry: &str) -> Option<&RegistrySettings> {
        if self.settings.is_empty() {
            return None;
        }
        let name = canonical_name(registry);
        let mut all = self.settings.iter();
        all.find_map(|(known, settings)| (canonical_name(known) == name).then_some(settings))
    }

    /// Returns the names of the registries that have settings.
    pub(super) fn registries(&self) -> impl Iterator<Item = &str> {
        self.settings.keys().map(String::as_str)
    }

    /// Returns the options for one registry, with its settings.
    pub(super) fn of(&self, registry: &str) -> Cow<'_, Self> {
        let Some(settings) = self.settings(registry) else {
            return Cow::Borrowed(self);
        };
        let mut options = self.clone();
        options.credentials.given.clone_from(&settings.credentials);
        options.plain_http = settings.plain_http.unwrap_or(options.plain_http);
        let authorities = settings.certificate_authorities.iter().cloned();
        options.certificate_authorities.extend(authorities);
        let certificate = settings.client_certificate.clone();
        options.client_certificate = certificate.or(options.client_certificate);
        Cow::Owned(options)
    }

    /// Sets the time limits, and how often a request is repeated.
    #[must_use]
    pub fn retry(self, retry: RetryOptions) -> Self {
        Self { retry, ..self }
    }
}

/// How long the client waits for a registry, and how often it repeats a request.
///
/// Repeated are requests that end with HTTP 408, 429, 500, 502, 503 or 504, connections that fail or
/// break, and transfers that stall. Refusals, wrong content and TLS certificates that do not verify are
/// final.
///
/// A duration of more than a year, such as [`Duration::MAX`], counts as a year.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RetryOptions {
    /// How long it may take to establish a connection. Default: 10 seconds.
    pub connect_timeout: Duration,
    /// How long a transfer may stand still before it counts as failed. Default: 30 seconds.
    pub stall_timeout: Duration,
    /// How long a transfer may make no progress, failed attempts and the waits between them included.
    /// Zero: nothing is repeated. Default: 50 seconds.
    pub patience: Duration,
    /// The approximate wait before the second attempt. Each further wait is twice as long. All waits are
    /// extended at random to up to twice their length. Default: 0.5 seconds.
    pub first_delay: Duration,
    /// The longest wait between two attempts, before it is extended at random. Default: 8 seconds.
    pub longest_delay: Duration,
    /// The longest `Retry-After` that is followed. A registry that asks for a longer wait gets no
    /// further request. Default: 30 seconds.
    pub longest_retry_after: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            patience: Duration::from_secs(50),
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(8),
            longest_retry_after: Duration::from_secs(30),
        }
    }
}

impl RetryOptions {
    /// Sets how long it may take to establish a connection.
    #[must_use]
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// Sets how long a transfer may stand still before it counts as failed.
    #[must_use]
    pub fn stall_timeout(mut self, stall_timeout: Duration) -> Self {
        self.stall_timeout = stall_timeout;
        self
    }

    /// Sets how long a transfer may make no progress.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sets the waits between two attempts: the first one, and the longest.
    #[must_use]
    pub fn delays(mut self, first_delay: Duration, longest_delay: Duration) -> Self {
        (self.first_delay, self.longest_delay) = (first_delay, longest_delay);
        self
    }

    /// Sets the longest `Retry-After` that is followed.
    #[must_use]
    pub fn longest_retry_after(mut self, longest_retry_after: Duration) -> Self {
        self.longest_retry_after = longest_retry_after;
        self
    }

    /// Returns the options with every duration limited to a year.
    pub(super) fn bounded(&self) -> Self {
        Self {
            connect_timeout: self.connect_timeout.min(LONGEST),
            stall_timeout: self.stall_timeout.min(LONGEST),
            patience: self.patience.min(LONGEST),
            first_delay: self.first_delay.min(LONGEST),
            longest_delay: self.longest_delay.min(LONGEST),
            longest_retry_after: self.longest_retry_after.min(LONGEST),
        }
    }

    /// Returns options for a single, quick attempt at a mirror.
    pub(super) fn for_mirror(&self) -> Self {
        Self {
            stall_timeout: self.stall_timeout.min(MIRROR_STALL_TIMEOUT),
            patience: Duration::ZERO,
            ..self.clone()
        }
    }

    /// Returns the options with every silence limited to `limit`.
    pub(super) fn limited_to(&self, limit: Duration) -> Self {
        Self {
            stall_timeout: self.stall_timeout.min(limit),
            patience: self.patience.min(limit),
            ..self.clone()
        }
    }
}
