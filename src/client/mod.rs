//! What users do: push, pull, fetch, copy, inspect and extract.
//!
//! The only layer that knows archives, registries and the cache. Every transfer is a copy from one
//! [`Store`] to another, and nothing is handed out before the whole archive has been verified, or, of one
//! executable that is fetched by itself, before it has the hash that verified claims sign.

mod annotations;
mod artifact;
mod blocking;
mod confirmed;
mod copy;
mod doctor;
mod error;
mod fetch;
mod flights;
mod inspect;
mod lock;
mod mount;
mod naming;
mod prefetch;
mod provider_host;
mod pull;
mod push;
mod ranged;
mod remote;
mod repair;
mod resolve;
mod summary;
mod tags;
mod toml_problem;
mod tree;
mod trust;
mod verdict;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::archive::Limits;
use crate::cache::Cache;
use crate::content::{Digest, Progress, Silent, Store};
use crate::oci::{Layout, Reference, Registries, RegistryOptions};

use blocking::blocking;
pub use doctor::{Advice, Check, Diagnosis, Finding, Verdict};
pub use error::Error;
pub use fetch::Fetched;
use flights::Flights;
pub use inspect::Inspected;
pub use lock::{Lock, LockError, Locked};
pub use naming::Deletion;
pub use pull::Pulled;
pub use push::Pushed;
pub use resolve::PullPolicy;
pub use summary::{Summarized, Summary};
pub use tree::Copied;
pub use trust::{ParsePatternError, Pattern, Pinning, Rule, TrustError, TrustPolicy, pin_name};

/// How a [`Client`] works. The default is what the command line does without options.
#[derive(Clone)]
pub struct ClientOptions {
    /// The folder of the cache. `None`: `$XDG_CACHE_HOME/wasmcloud-par`.
    pub cache_directory: Option<PathBuf>,
    /// How registries are reached.
    pub registry: RegistryOptions,
    /// Which publishers are trusted. `None`: as the [user's own file](TrustPolicy::of_user) says.
    pub trust: Option<TrustPolicy>,
    /// When a registry is asked what a tag stands for.
    pub pull: PullPolicy,
    /// What reading an archive is bounded to.
    pub limits: Limits,
    /// Who watches what takes long, and may stop it.
    pub progress: Arc<dyn Progress>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            cache_directory: None,
            registry: RegistryOptions::default(),
            trust: None,
            pull: PullPolicy::default(),
            limits: Limits::default(),
            progress: Arc::new(Silent),
        }
    }
}

/// Pushes, pulls and fetches provider archives.
///
/// Built once per process: it holds connections and tokens. Cheap to clone, and its clones share both.
/// Its futures want a Tokio runtime with time and input/output enabled. Each of them can be spawned, and be
/// dropped at any time: what it has begun in the background ends soon then.
///
/// What a client does is told to `tracing`. What it does with one reference is a span of level `INFO`, named
/// as the method, with the `reference` (`source` and `destination` for [`copy`](Self::copy)) and, once it is
/// known, the `digest` of the manifest. Whatever happens in there, on any thread, is told in there.
#[derive(Clone)]
pub struct Client {
    cache_directory: Option<PathBuf>,
    cache: Arc<OnceLock<Cache>>,
    registries: Registries,
    trust: Arc<TrustPolicy>,
    pull: PullPolicy,
    lock: Option<Arc<Lock>>,
    limits: Arc<Limits>,
    progress: Arc<dyn Progress>,
    flights: Arc<Flights>,
}

impl Client {
    /// Sets the client up: reads certificate authorities and the trust policy. Contacts nobody.
    ///
    /// The cache is opened by what needs it first, as not everything does: resolving, tagging, copying and
    /// pushing do without. Who wants to know at once whether it can be used asks for it:
    /// [`cache`](Self::cache).
    ///
    /// # Errors
    ///
    /// [`Error::Oci`] or [`Error::Trust`].
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        Ok(Self {
            cache_directory: options.cache_directory,
            cache: Arc::default(),
            registries: Registries::new(options.registry)?,
            trust: Arc::new(options.trust.map_or_else(TrustPolicy::of_user, Ok)?),
            pull: options.pull,
            lock: None,
            limits: Arc::new(options.limits),
            progress: options.progress,
            flights: Arc::default(),
        })
    }

    /// The same client with another pull policy, over the same connections.
    #[must_use]
    pub fn with_pull_policy(&self, pull: PullPolicy) -> Self {
        Self {
            pull,
            ..self.clone()
        }
    }

    /// The cache that this client uses. Opens it the first time, which takes some looks at folders.
    ///
    /// # Errors
    ///
    /// [`Error::Cache`] when it cannot be used, as [`Cache::open`] says.
    pub fn cache(&self) -> Result<&Cache, Error> {
        match self.cache.get() {
            Some(cache) => Ok(cache),
            None => {
                let cache = Cache::open(self.cache_directory.as_deref())?;
                Ok(self.cache.get_or_init(|| cache))
            }
        }
    }

    /// The store that `reference` is in.
    async fn store(&self, reference: &Reference, access: Access) -> Result<Box<dyn Store>, Error> {
        Ok(match (reference, access) {
            (_, Access::Read) if self.pull == PullPolicy::Never => Box::new(self.cache()?.clone()),
            (Reference::Registry(reference), _) => Box::new(self.registries.repository(reference)),
            (Reference::Layout(reference), access) => {
                let directory = reference.directory().to_owned();
                let open = move || match access {
                    Access::Read => Layout::open(directory),
                    Access::Write => Layout::open_or_create(directory),
                };
                Box::new(blocking(move || Ok(open()?)).await?)
            }
        })
    }
}

/// Tells who watches which manifest it is that the operation, whose [span](Client) this is called in, is
/// about.
fn note_digest(digest: &Digest) {
    tracing::Span::current().record("digest", tracing::field::display(digest));
}

/// What a store is wanted for.
#[derive(Debug, Clone, Copy)]
enum Access {
    Read,
    Write,
}

/// The name under which the cache records what the tag of a reference points to.
fn record_name(reference: &Reference) -> Option<String> {
    let tag = reference.tag()?;
    Some(match reference {
        Reference::Registry(place) => format!("{}/{}:{tag}", place.registry(), place.repository()),
        Reference::Layout(place) => {
            let directory = std::path::absolute(place.directory()).ok()?;
            let place = Digest::of(directory.as_os_str().as_encoded_bytes());
            format!("oci-layout/{}:{tag}", place.hex())
        }
    })
}

/// The folder of an image layout, from wherever it is looked at, if it is text.
fn layout_folder(reference: &Reference) -> Option<String> {
    match reference {
        Reference::Registry(_) => None,
        Reference::Layout(place) => {
            let folder = std::path::absolute(place.directory()).ok()?;
            folder.to_str().map(str::to_owned)
        }
    }
}
