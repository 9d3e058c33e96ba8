//! The hosts that answered, for the user to see.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records which hosts gave answers that were used, and whether one of them may be out of date. Clones share the
/// record.
#[derive(Debug, Clone, Default)]
pub(crate) struct AnsweringHosts(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    from: Vec<String>,
    stale: bool,
}

impl AnsweringHosts {
    /// The name of the cache among the hosts.
    const CACHE: &str = "cache";

    /// Records that `host` gave an answer. A host is recorded once.
    pub(crate) fn add(&self, host: &str) {
        let from = &mut self.recorded().from;
        if !from.iter().any(|known| known == host) {
            from.push(host.to_owned());
        }
    }

    /// Records that the cache resolved a reference. `stale` says that the registry did not answer, so that the tag may
    /// have moved since.
    pub(crate) fn add_cache(&self, stale: bool) {
        self.add(Self::CACHE);
        self.recorded().stale |= stale;
    }

    /// Returns the hosts in the order of their first answers, and `cache` if the cache was among them.
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "the command prints it")
    )]
    pub(crate) fn names(&self) -> Vec<String> {
        self.recorded().from.clone()
    }

    /// Returns whether an answer came from the cache because the registry did not answer.
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "the command prints it")
    )]
    pub(crate) fn is_stale(&self) -> bool {
        self.recorded().stale
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
