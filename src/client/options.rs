//! The options of a client.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use crate::archive::Limits;
use crate::content::{Progress, Silent};
use crate::oci::RegistryOptions;

use super::pull_policy::PullPolicy;
use super::trust::TrustPolicy;

/// How a [`Client`](super::Client) works.
#[derive(Clone)]
pub struct ClientOptions {
    /// The directory of the cache. `None`: `$XDG_CACHE_HOME/wasmcloud-par`.
    pub cache_directory: Option<PathBuf>,
    /// How registries are reached.
    pub registry: RegistryOptions,
    /// Which publishers are trusted. `None`: the [policy of the user](TrustPolicy::of_user).
    pub trust: Option<TrustPolicy>,
    /// When a registry is asked what a tag stands for.
    pub pull: PullPolicy,
    /// The bounds for reading an archive.
    pub limits: Limits,
    /// Observes steps that take long, and may stop them.
    pub progress: Arc<dyn Progress>,
    /// The number of archives that are worked on at the same time.
    pub at_once: NonZeroUsize,
}

/// The default of [`ClientOptions::at_once`]. More downloads at a time than this rarely fill a network any
/// better, and each one takes up to three threads.
const AT_ONCE: NonZeroUsize = match NonZeroUsize::new(8) {
    Some(count) => count,
    None => NonZeroUsize::MIN,
};

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            cache_directory: None,
            registry: RegistryOptions::default(),
            trust: None,
            pull: PullPolicy::default(),
            limits: Limits::default(),
            progress: Arc::new(Silent),
            at_once: AT_ONCE,
        }
    }
}
