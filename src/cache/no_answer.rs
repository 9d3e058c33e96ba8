//! Registries that did not answer. When one process gets no answer, other processes know it for a short while.
//!
//! This only saves waiting. It is used only where the cache can answer in place of the registry.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::content::{AtomicFile, unix_seconds};

use super::error::Error;
use super::files::{read_file, remove};
use super::open::Cache;

/// For how long a registry that did not answer is not asked again.
const PAUSE: Duration = Duration::from_secs(20);

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1000;
/// The largest file that is read, in bytes.
const LIMIT: u64 = 8 * 1024;

/// The record of a registry that did not answer.
#[derive(Serialize, Deserialize)]
struct NoAnswer {
    /// The time at which the registry did not answer, in seconds since 1970.
    since: u64,
    reason: String,
}

impl Cache {
    /// Returns why `registry` did not answer another task or process in the last 20 seconds, or `None`. Ignores damaged
    /// files, and times in the future, which exist after a clock was set back. Blocks.
    pub(crate) fn no_answer(&self, registry: &str) -> Option<String> {
        let path = self.paths.no_answer(registry).ok()?;
        let text = read_file(&path, LIMIT).ok()??;
        let recorded: NoAnswer = serde_json::from_slice(&text).ok()?;
        let now = unix_seconds(SystemTime::now());
        let age = Duration::from_secs(now.checked_sub(recorded.since)?);
        let reason = recorded.reason.chars().take(LONGEST_REASON).collect();
        (age < PAUSE).then_some(reason)
    }

    /// Records that `registry` did not answer, and the `reason`. Blocks.
    pub(crate) fn note_no_answer(&self, registry: &str, reason: &str) -> Result<(), Error> {
        let path = self.paths.no_answer(registry)?;
        self.paths.make_way(&path)?;
        let recorded = NoAnswer {
            since: unix_seconds(SystemTime::now()),
            reason: reason.chars().take(LONGEST_REASON).collect(),
        };
        serde_json::to_vec(&recorded)
            .map_err(std::io::Error::other)
            .and_then(|text| AtomicFile::create_private(&path)?.commit_with(&text))
            .map_err(Error::file(&path))
    }

    /// Removes the record that `registry` did not answer. Blocks.
    pub(crate) fn forget_no_answer(&self, registry: &str) -> Result<(), Error> {
        let path = self.paths.no_answer(registry)?;
        remove(&path).map_err(Error::file(&path))?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests/no_answer.rs"]
mod tests;
