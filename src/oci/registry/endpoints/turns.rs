//! Taking turns: tasks of this process that change the same content of a registry do so one after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The turns of one endpoint, by what is changed.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Arc<AsyncMutex<()>>>>);

impl Turns {
    /// Waits until no other task changes `what`. Dropping the guard ends the turn.
    pub(crate) async fn take(&self, what: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody waits for a turn that only the map holds.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(what.to_owned()).or_default())
        };
        turn.lock_owned().await
    }
}
