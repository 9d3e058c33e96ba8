//! Locks that let only one task of this process at a time change the same content of a registry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use crate::content::Digest;

/// The locks of one endpoint, by the name of the content that is changed.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Turn>>);

/// The lock of the task that changes the content. It contains the digest of the content that this process has stored
/// last.
pub(crate) type Turn = Arc<AsyncMutex<Option<Digest>>>;

impl Turns {
    /// Returns the lock for `what`. It is kept while a task has it.
    pub(crate) fn of(&self, what: &str) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(what.to_owned()).or_default())
    }
}
