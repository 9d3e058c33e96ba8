//! The client, and the methods that all verbs need.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tokio::sync::{Mutex, OnceCell, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::DropGuard;

use crate::archive::{Dates, Limits, RequestedTarget};
use crate::cache::{Cache, State};
use crate::content::{Digest, LONG_WORK, Progress};
use crate::oci::{Reference, Registries};

use super::blocking::{Input, on_own_thread, until_dropped};
use super::error::Error;
use super::fetched::Fetched;
use super::lock::{Lock, LockedIdentity};
use super::open_layouts::OpenLayouts;
use super::options::{ClientOptions, PullPolicy};
use super::shared::SharedMap;
use super::trust::TrustPolicy;

/// Pushes, pulls and fetches provider archives.
///
/// Build one client per process: it holds connections and tokens. A clone is cheap and shares both. The
/// futures need a Tokio runtime with time and input/output enabled. Each future can be spawned, and be
/// dropped at any time: work that it has begun in the background ends soon then.
///
/// A client works on [`ClientOptions::at_once`] archives at the same time; further calls wait for their turn.
/// A future that has begun should be polled until it ends or be dropped, because it may have a turn.
///
/// The client logs to `tracing`. Each operation on one reference is a span of level `INFO`, named after the
/// method, with the field `reference` ([`copy`](Self::copy) has `source` and `destination`) and, once it is
/// known, `digest`, that of the manifest. Events of the operation are inside its span, on any thread.
#[derive(Clone)]
pub struct Client {
    cache_directory: Option<PathBuf>,
    cache: Arc<OnceLock<Cache>>,
    state_directory: Option<PathBuf>,
    state: Arc<OnceLock<State>>,
    pub(super) registries: Registries,
    pub(super) trust: Arc<TrustPolicy>,
    pub(super) pull: PullPolicy,
    pub(super) lock: Option<Arc<Lock>>,
    /// The Sigstore identity that is taken of several that vouch for a manifest.
    pub(super) preferred: Option<Arc<LockedIdentity>>,
    pub(super) limits: Arc<Limits>,
    /// The dates that claims may have. A client that only shows archives also accepts claims that become valid later.
    pub(super) dates: Dates,
    pub(super) progress: Arc<dyn Progress>,
    /// The fetches in progress.
    pub(super) fetches: Arc<SharedMap<FetchKey, Fetching>>,
    /// Locks for content that tasks of this process bring into the cache. Between processes, the cache has
    /// locks of its own.
    content_locks: Arc<SharedMap<Digest, Mutex<()>>>,
    /// Image layouts that stay open. `None`: each operation opens the layout that it reads.
    pub(super) layouts: Option<Arc<OpenLayouts>>,
    /// A permit for each archive that may be worked on.
    turns: Arc<Semaphore>,
}

/// The key of a fetch: calls of [`Client::fetch`] with the same key share their work.
pub(super) type FetchKey = (String, RequestedTarget, PullPolicy);
/// The outcome of a fetch that tasks share.
pub(super) type Fetching = OnceCell<Result<Fetched, Arc<Error>>>;

/// The right to work on one archive. It ends when this is dropped.
pub(super) type Turn = Option<OwnedSemaphorePermit>;

impl Client {
    /// Returns a client that shows archives and hands out no executables. It also reads archives whose claims become
    /// valid later.
    #[cfg(feature = "cli")]
    pub(crate) fn for_showing(&self) -> Self {
        Self {
            dates: Dates::ValidLater,
            ..self.clone()
        }
    }

    /// Sets up a client: reads certificate authorities and the trust policy. Sends no request.
    ///
    /// The cache is opened by the first operation that needs it. Resolving and tagging do not, unless the pull policy is
    /// `Never`. Copying and pushing use the cache to send less, and work without it. Call [`cache`](Self::cache) to find
    /// out at once whether it can be used.
    ///
    /// # Errors
    ///
    /// [`Error::Oci`] or [`Error::Trust`].
    pub fn new(mut options: ClientOptions) -> Result<Self, Error> {
        options.registry.isolated |= options.isolated;
        if options.isolated && options.trust.is_none() {
            options.trust = Some(TrustPolicy::default());
        }
        Ok(Self {
            cache_directory: options.cache_directory,
            cache: Arc::default(),
            state_directory: options.state_directory,
            state: Arc::default(),
            registries: Registries::new(options.registry)?,
            trust: Arc::new(options.trust.map_or_else(TrustPolicy::of_user, Ok)?),
            pull: options.pull,
            lock: None,
            preferred: None,
            limits: Arc::new(options.limits),
            dates: Dates::default(),
            progress: options.progress,
            fetches: Arc::default(),
            content_locks: Arc::default(),
            layouts: None,
            turns: Arc::new(Semaphore::new(
                options.at_once.get().min(Semaphore::MAX_PERMITS),
            )),
        })
    }

    /// Returns a client that reads from `layouts` and keeps them open.
    pub(super) fn sharing_layouts(&self, layouts: &Arc<OpenLayouts>) -> Self {
        Self {
            layouts: Some(Arc::clone(layouts)),
            ..self.clone()
        }
    }

    /// Returns a client for reading what `writer` writes to `destination`. It does not read from `destination` in place of
    /// another registry, because `destination` has what earlier writes have left there.
    pub(super) async fn not_reading_from(
        &self,
        destination: &Reference,
        writer: &Self,
    ) -> Result<Self, Error> {
        let Reference::Registry(place) = destination else {
            return Ok(self.clone());
        };
        let repository = writer.registries.repository(place);
        Ok(Self {
            registries: self.registries.avoiding(&repository).await?,
            ..self.clone()
        })
    }

    /// Returns this client with another pull policy. Both share connections, tokens and the cache.
    #[must_use]
    pub fn with_pull_policy(&self, pull: PullPolicy) -> Self {
        Self {
            pull,
            ..self.clone()
        }
    }

    /// Returns this client restricted to the references in `lock`. Both share connections, tokens and the
    /// cache.
    #[must_use]
    pub fn with_lock(&self, lock: Lock) -> Self {
        Self {
            lock: Some(Arc::new(lock)),
            // The fetches in progress were not compared with this lock.
            fetches: Arc::default(),
            ..self.clone()
        }
    }

    /// Returns the cache of this client. The first call opens it, which blocks for a few system calls.
    ///
    /// # Errors
    ///
    /// [`Error::Cache`] when the cache cannot be used, as for [`Cache::open`].
    pub fn cache(&self) -> Result<&Cache, Error> {
        match self.cache.get() {
            Some(cache) => Ok(cache),
            None => {
                let cache = Cache::open(self.cache_directory.as_deref())?;
                Ok(self.cache.get_or_init(|| cache))
            }
        }
    }

    /// Returns the state of this client, which has the pins. The first call opens it, which blocks for a few system
    /// calls.
    pub(super) fn state(&self) -> Result<&State, Error> {
        match self.state.get() {
            Some(state) => Ok(state),
            None => {
                let (state, cache) = (&self.state_directory, &self.cache_directory);
                let state = State::open(state.as_deref(), cache.as_deref())?;
                Ok(self.state.get_or_init(|| state))
            }
        }
    }

    /// Returns the reference to use in place of `reference`: with a lock, the one with the locked digest.
    pub(super) fn locked(&self, reference: &Reference) -> Result<Reference, Error> {
        match &self.lock {
            Some(lock) => Ok(lock.pinned(reference)?),
            None => Ok(reference.clone()),
        }
    }

    /// Waits until one more archive may be worked on.
    pub(super) async fn turn(&self) -> Turn {
        // The semaphore is never closed.
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }

    /// Runs blocking work that takes [long](LONG_WORK), such as hashing an archive. The work gets a client whose progress
    /// stops the work once the future is dropped.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (client, _guard) = self.until_dropped();
        LONG_WORK.blocking(move || work(&client)).await
    }

    /// Runs blocking work as [`blocking`](Self::blocking) does, on a thread of its own. This is for work that
    /// waits for other tasks.
    pub(super) async fn on_own_thread<T: Send + 'static>(
        &self,
        name: &str,
        input: Input,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (client, _guard) = self.until_dropped();
        on_own_thread(name, input, move || work(&client)).await
    }

    /// Returns a client whose progress stops every step once the guard is dropped.
    fn until_dropped(&self) -> (Self, DropGuard) {
        let mut client = self.clone();
        let (progress, guard) = until_dropped(Arc::clone(&self.progress));
        client.progress = progress;
        (client, guard)
    }

    /// Waits until no other task of this process brings the content of `digest` into the cache.
    pub(super) async fn content_lock(&self, digest: &Digest) -> OwnedMutexGuard<()> {
        self.content_locks.join(digest).lock_owned().await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Records in the current [span](Client) which manifest the operation is about.
pub(super) fn note_digest(digest: &Digest) {
    tracing::Span::current().record("digest", tracing::field::display(digest));
}
