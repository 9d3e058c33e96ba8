//! The warnings of one run of the command.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many warnings are kept. The number is bounded because registries and archives can cause any number of warnings.
const MOST: usize = 1000;

/// Keeps the warnings for a JSON answer. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Keeps a warning, unless there are too many or the same warning is kept already.
    pub(super) fn add(&self, warning: &str) {
        let mut kept = self.kept();
        if kept.len() > MOST || kept.iter().any(|known| known == warning) {
            return;
        }
        let is_full = kept.len() == MOST;
        let message = if is_full {
            "further warnings are left out"
        } else {
            warning
        };
        kept.push(message.to_owned());
    }

    /// Returns the warnings in their order.
    pub(super) fn all(&self) -> Vec<String> {
        self.kept().clone()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "tests/warnings.rs"]
mod tests;
