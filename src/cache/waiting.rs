//! The message about waiting for another process.

use std::path::Path;
use std::time::{Duration, Instant};

/// How long a task waits for another process before it says so. Most work of another process takes less time. A process
/// that is stopped, as with Ctrl-Z, keeps its locks.
const SILENCE: Duration = Duration::from_secs(3);

/// A wait for another process, which has locked a file.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    since: Option<Instant>,
    is_told: bool,
}

impl Waiting {
    /// Notes that the file at `path` is still locked. Logs that once, when the first note is [`SILENCE`] old.
    pub(super) fn note(&mut self, path: &Path) {
        let since = *self.since.get_or_insert_with(Instant::now);
        if !self.is_told && since.elapsed() >= SILENCE {
            self.is_told = true;
            let path = path.display();
            tracing::warn!("waiting for another process, which has locked {path}");
        }
    }
}

#[cfg(test)]
#[path = "tests/waiting.rs"]
mod tests;
