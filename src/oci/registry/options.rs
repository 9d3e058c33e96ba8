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

/// The longest time limit. Some platforms cannot compute times that are further away.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long to wait for a mirror. It is long enough for a mirror to get a manifest from its registry, and short when
/// the mirror does not answer.
const MIRROR_STALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The options for connections to registries.
///
/// The client uses the proxies in the environment variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in
/// upper or lower case, by the rules of Go's `httpproxy`. A variable with a value that is not a proxy is an error
/// ([`ProxyError::Variable`](crate::oci::ProxyError::Variable)). Loopback hosts are reached without a proxy. With
/// [`ClientOptions::isolated`](crate::client::ClientOptions::isolated), the client reads no variables.
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
    /// The sources of credentials.
    pub credentials: CredentialSource,
    /// Whether every registry is reached by plain HTTP. Default: only loopback hosts, unless one of the TLS options
    /// below is set. If only certificate authorities are set, a loopback host that speaks TLS is reached by TLS.
    pub plain_http: bool,
    /// Whether certificates are accepted without verification. An attacker on the network can then read all content,
    /// and change all content that is not pinned by its digest. Default: no.
    pub skip_tls_verify: bool,
    /// PEM files with certificate authorities that are trusted in addition to the authorities of the system.
    pub certificate_authorities: Vec<PathBuf>,
    /// The client certificate for registries that ask for one. Mirrors do not get it. Default: none.
    pub client_certificate: Option<ClientCertificate>,
    /// The directory with an entry for each registry that has mirrors or needs special settings: a `hosts.toml` in
    /// containerd's format, or Docker's `ca.crt`, `client.cert` and `client.key`. Default:
    /// `$XDG_CONFIG_HOME/wasmcloud-par/hosts`, then `/etc/containerd/certs.d`.
    ///
    /// The client reads an entry at the first request to the registry. It reads the entry again if it has used 32 other
    /// registries since then.
    ///
    /// The client asks the mirrors first, in their order, once each and for a few seconds. Then it asks the registry
    /// itself. Content from a mirror is accepted only by its digest. A mirror gets the credentials that are stored for
    /// its own host, and never the credentials of the registry.
    pub hosts_directory: Option<PathBuf>,
    /// The number of connections over which a blob of 16 MiB or more is downloaded, at most 8. Default:
    /// one.
    ///
    /// Several connections are faster when the registry, its storage or the distance limits the speed of each
    /// connection. When a single connection uses the full bandwidth, more connections only cost requests. If a registry
    /// does not support byte ranges, one connection is used. Up to 8 MiB are held in memory.
    pub connections: Option<NonZeroUsize>,
    /// The time limits, and the repetition of requests.
    pub retry: RetryOptions,
    /// Records which hosts answer, if it is set.
    pub(crate) answering: Option<AnsweringHosts>,
    /// Whether environment variables, and files that are not named here, are ignored.
    pub(crate) isolated: bool,
    /// The settings by the names of registries, in the spelling of the program.
    pub(crate) settings: BTreeMap<String, RegistrySettings>,
}

impl RegistryOptions {
    /// Sets the sources of credentials.
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

    /// Sets the directory with the mirrors and settings of registries.
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

    /// Sets the settings of `registry` that differ from these options. The name is the same as in references, such as
    /// `ghcr.io` or `localhost:5000`. [`Client::new`](crate::client::Client::new) refuses any other name.
    #[must_use]
    pub fn for_registry(mut self, registry: &str, settings: RegistrySettings) -> Self {
        let name = canonical_name(registry);
        // Of two spellings of the same registry, the last one counts.
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

    /// Sets the time limits, and the repetition of requests.
    #[must_use]
    pub fn retry(self, retry: RetryOptions) -> Self {
        Self { retry, ..self }
    }
}

/// The time limits for registries, and the repetition of requests.
///
/// The client repeats a request after HTTP 408, 429, 499, 500, 502, 503, 504 or from 520 on, after a connection failed or
/// broke, and after a transfer stalled. It repeats a request at most twice after failures that are probably final: an
/// answer that is not HTTP or contradicts itself, a proxy that cannot be reached, a refusal of content because of its
/// digest, and HTTP 401 or 403 from storage to which the registry has redirected. Other refusals and TLS certificates that
/// do not verify are final.
///
/// A duration of more than a year, such as [`Duration::MAX`], counts as a year.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RetryOptions {
    /// How long it may take to establish a connection. Default: 10 seconds.
    pub connect_timeout: Duration,
    /// How long an attempt may make no progress before it counts as failed. `patience` limits it too, unless that is zero.
    /// Default: 30 seconds.
    pub stall_timeout: Duration,
    /// How long a transfer may make no progress, including failed attempts and the waits between them. With zero, no
    /// request is repeated, and `stall_timeout` alone limits the only attempt. Default: 50 seconds.
    pub patience: Duration,
    /// The approximate wait before the second attempt. Each further wait is twice as long. Each wait is extended by a
    /// random part of its length, at most to twice the length. Default: 0.5 seconds.
    pub first_delay: Duration,
    /// The longest wait between two attempts, before it is extended at random. Default: 8 seconds.
    pub longest_delay: Duration,
    /// The longest `Retry-After` that the client follows. If a registry asks for a longer wait, the client gives up.
    /// Default: 30 seconds.
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

    /// Sets how long an attempt may make no progress before it counts as failed.
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

    /// Returns how long the first attempt may make no progress. A registry may have to fetch a blob from slow storage before
    /// it sends the first byte, so the attempt gets all of the patience.
    ///
    /// This is not the timeout of the HTTP client: when that ends a request, the error is that of a broken connection, and a
    /// registry that does not answer would count as one that does.
    pub(super) fn longest_silence(&self) -> Duration {
        if self.patience.is_zero() {
            self.stall_timeout
        } else {
            self.stall_timeout.min(self.patience)
        }
    }

    /// Returns options for a single quick attempt at a mirror.
    pub(super) fn for_mirror(&self) -> Self {
        Self {
            stall_timeout: self.stall_timeout.min(MIRROR_STALL_TIMEOUT),
            patience: Duration::ZERO,
            ..self.clone()
        }
    }

    /// Returns the options with a time limit of `limit` for each wait.
    pub(super) fn limited_to(&self, limit: Duration) -> Self {
        Self {
            stall_timeout: self.stall_timeout.min(limit),
            patience: self.patience.min(limit),
            ..self.clone()
        }
    }
}
