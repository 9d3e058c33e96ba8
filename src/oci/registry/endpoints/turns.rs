//! Taking turns: tasks of this process that change the same content of a registry do so one after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use crate::content::Digest;

/// The turns of one endpoint, by what is changed.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Turn>>);

/// Is locked by the task that changes something. It holds the digest of what this process has stored last.
pub(crate) type Turn = Arc<AsyncMutex<Option<Digest>>>;

impl Turns {
    /// Returns the turn for `what`, which lasts as long as a task holds it.
    pub(crate) fn of(&self, what: &str) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(what.to_owned()).or_default())
    }
}
