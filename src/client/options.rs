//! The options of a client.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::archive::Limits;
use crate::content::{Progress, Silent};
use crate::oci::{CredentialProvider, RegistryOptions, RegistrySettings};

use super::trust::TrustPolicy;

/// The options of a [`Client`](super::Client). Begin with the default and change what has to differ:
///
/// ```
/// use wasmcloud_par::client::{Client, ClientOptions, PullPolicy};
///
/// # fn client() -> Result<Client, wasmcloud_par::client::Error> {
/// let options = ClientOptions::default()
///     .cache_directory("/var/cache/host")
///     .pull_policy(PullPolicy::Always);
/// let client = Client::new(options)?;
/// # Ok(client)
/// # }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientOptions {
    pub(crate) cache_directory: Option<PathBuf>,
    pub(crate) state_directory: Option<PathBuf>,
    /// How registries are reached.
    pub registry: RegistryOptions,
    pub(crate) trust: Option<TrustPolicy>,
    pub(crate) pull: PullPolicy,
    pub(crate) limits: Limits,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) at_once: NonZeroUsize,
    /// Whether environment variables are ignored, and files that the options do not name.
    pub(crate) isolated: bool,
}

/// The default of [`ClientOptions::at_once`]. More downloads at a time are rarely faster, and each one takes up to
/// three threads.
const AT_ONCE: NonZeroUsize = match NonZeroUsize::new(8) {
    Some(count) => count,
    None => NonZeroUsize::MIN,
};

impl fmt::Debug for ClientOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientOptions")
            .field("cache_directory", &self.cache_directory)
            .field("state_directory", &self.state_directory)
            .field("registry", &self.registry)
            .field("trust", &self.trust)
            .field("pull", &self.pull)
            .field("limits", &self.limits)
            .field("at_once", &self.at_once)
            .finish_non_exhaustive()
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            cache_directory: None,
            state_directory: None,
            registry: RegistryOptions::default(),
            trust: None,
            pull: PullPolicy::default(),
            limits: Limits::default(),
            progress: Arc::new(Silent),
            at_once: AT_ONCE,
            isolated: false,
        }
    }
}

impl ClientOptions {
    /// Returns options that do not depend on the environment or on the user's files. The client writes below
    /// `directory`: the cache in `cache`, and the pins of repositories in `state`.
    ///
    /// Environment variables are ignored: those for credentials, proxies, certificate authorities and XDG directories,
    /// and `HOME`. No credentials of Docker and Podman, no `hosts.toml` and no trust policy of the user are read.
    /// Without [`trust`](Self::trust), the policy is [`TrustPolicy::default`]. The certificate authorities of the
    /// system are used, from their usual place. Files that the program names are read. [`Client::push_from`] uses the
    /// directory of the system for temporary files.
    ///
    /// [`Client::push_from`]: super::Client::push_from
    #[must_use]
    pub fn isolated(directory: impl AsRef<Path>) -> Self {
        Self {
            isolated: true,
            cache_directory: Some(directory.as_ref().join("cache")),
            state_directory: Some(directory.as_ref().join("state")),
            ..Self::default()
        }
    }

    /// Uses the cache in this directory. Default: `$XDG_CACHE_HOME/wasmcloud-par`.
    #[must_use]
    pub fn cache_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache_directory = Some(directory.into());
        self
    }

    /// Keeps the pins of repositories in this directory. Clients with the same directory share their pins, also when
    /// their caches differ. Default: `$XDG_STATE_HOME/wasmcloud-par`.
    #[must_use]
    pub fn state_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state_directory = Some(directory.into());
        self
    }

    /// Sets how registries are reached.
    #[must_use]
    pub fn registry(mut self, registry: RegistryOptions) -> Self {
        self.registry = registry;
        self
    }

    /// Sets how one registry is reached, where that differs from the options for all registries. `registry` is the name
    /// in references, such as `ghcr.io` or `localhost:5000`. Call this after [`registry`](Self::registry), which
    /// replaces it.
    #[must_use]
    pub fn for_registry(mut self, registry: &str, settings: RegistrySettings) -> Self {
        self.registry = self.registry.for_registry(registry, settings);
        self
    }

    /// Asks `provider` for credentials first, before environment variables and files are read. Call this after
    /// [`registry`](Self::registry), which replaces it.
    #[must_use]
    pub fn credentials(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.registry.credentials = self.registry.credentials.provider(provider);
        self
    }

    /// Sets the trust policy. Default: the [policy of the user](TrustPolicy::of_user).
    #[must_use]
    pub fn trust(mut self, policy: TrustPolicy) -> Self {
        self.trust = Some(policy);
        self
    }

    /// Sets when registries are asked what tags stand for. Default: [`PullPolicy::Newer`].
    #[must_use]
    pub fn pull_policy(mut self, policy: PullPolicy) -> Self {
        self.pull = policy;
        self
    }

    /// Sets the bounds for reading archives.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Reports long steps to `progress`, which may stop them.
    #[must_use]
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// Sets how many archives the client works on at the same time. Default: 8. Each one takes up to three threads, and
    /// more while a whole archive is verified.
    #[must_use]
    pub fn at_once(mut self, archives: NonZeroUsize) -> Self {
        self.at_once = archives;
        self
    }
}

/// When a registry is asked what a tag stands for.
///
/// A digest always stands for the same manifest: no registry is asked when the cache holds it. Content in the cache is
/// not downloaded again, whatever the policy.
///
/// The names are those of Docker and Podman. `Always` fails without the registry, as `docker run
/// --pull=always`, `podman run --pull=always` and the kubelet's `Always` do. `Newer` continues with the
/// cached manifest, as `podman run --pull=newer` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PullPolicy {
    /// The registry is asked each time. It is an error if the registry does not answer.
    Always,
    /// The registry is asked each time. If it is unavailable, the manifest that was last confirmed for the tag is used,
    /// with a warning. A registry that answers with a refusal is not unavailable.
    #[default]
    Newer,
    /// The registry is asked only for tags that the cache does not know.
    Missing {
        /// For how long a recorded answer is used. After that, the policy is [`Newer`](Self::Newer). `None`: without a
        /// limit.
        max_age: Option<Duration>,
    },
    /// Archives, manifests and tags are read from the cache without a request. Content that is not in the cache is
    /// [`Error::NotCached`](super::Error::NotCached). Operations that change or check a registry, such as
    /// [`Client::deletion`](super::Client::deletion) and [`Client::doctor`](super::Client::doctor), send requests as with
    /// every policy.
    Never,
}
