//! Opening the state, and taking over the pins that an older version left in the cache.

use std::fs;
use std::path::Path;

use crate::content::{if_found, read_file_bounded};

use super::error::Error;
use super::paths::Paths;
use super::pins::{IDENTITY_LIMIT, pin_files, read, write_file};
use super::state::State;

/// The name that a pin of the cache gets in the state when the state has a pin to another publisher.
const OTHER: &str = "_identity_of_cache";

impl State {
    /// Opens the state in `directory`, or in the user's directory for state (`$XDG_STATE_HOME/wasmcloud-par`, or
    /// `~/.local/state/wasmcloud-par`). Creates nothing: the first pin does.
    ///
    /// Older versions kept pins in the cache. Those in `cache`, or in the user's cache directory, are taken over.
    /// Processes that do this at the same time wait for each other.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignState`] and [`Error::SharedState`] when another user could change or replace the state;
    /// [`Error::StateDirectory`], [`Error::StateFile`], [`Error::NoStateDirectory`] and the errors of
    /// [`Cache::open`](super::Cache::open) when there are pins to take over and that fails.
    pub fn open(directory: Option<&Path>, cache: Option<&Path>) -> Result<Self, Error> {
        let state = Self::in_directory(directory)?;
        state.require_private()?;
        match Paths::in_directory(cache) {
            Ok(cache) => state.take_over(&cache)?,
            // Without a cache, there are no pins in it.
            Err(Error::NoDirectory) => {}
            Err(error) => return Err(error),
        }
        Ok(state)
    }

    /// Takes over the pins in a cache. A pin is removed from the cache after the state has it.
    fn take_over(&self, cache: &Paths) -> Result<(), Error> {
        let old = cache.old_identities();
        if pin_files(&old)?.is_empty() {
            return Ok(());
        }
        // Pins that another user could have written do not count.
        cache.exist()?;
        let _lock = self.lock()?;
        // Another process may have taken them over meanwhile.
        for (place, path) in pin_files(&old)? {
            self.take_over_pin(&place, &path)?;
            if let Err(error) = if_found(fs::remove_file(&path)) {
                tracing::debug!(path = %path.display(), %error, "an old pin stays in the cache");
            }
        }
        remove_empty(&old);
        Ok(())
    }

    fn take_over_pin(&self, place: &str, old: &Path) -> Result<(), Error> {
        let Some(path) = self.identity_file(place)? else {
            return Err(Error::NoStateDirectory);
        };
        let Some(text) =
            if_found(read_file_bounded(old, IDENTITY_LIMIT + 1)).map_err(Error::state_file(old))?
        else {
            return Ok(());
        };
        if !path.try_exists().map_err(Error::state_file(&path))? {
            // A damaged pin stays a damaged pin, which is an error where it is asked.
            return write_file(&path, &text);
        }
        let (known, found) = (read(&path, place), read(old, place));
        match (known, found) {
            (Ok(Some(known)), Ok(Some(found))) if known == found => Ok(()),
            (Ok(Some(known)), Ok(Some(found))) => match known.merged(&found) {
                Some(merged) if merged == known => Ok(()),
                Some(merged) => self.write(place, merged),
                None => keep_other(place, &path, &text),
            },
            _ => keep_other(place, &path, &text),
        }
    }
}

/// Keeps a pin to another publisher beside that of the state. Only people read it.
fn keep_other(place: &str, path: &Path, text: &[u8]) -> Result<(), Error> {
    let other = path.with_file_name(OTHER);
    tracing::warn!(
        "the cache and the state have pins of {place} to two publishers: that of the state counts, and the other \
         one is in {}",
        other.display()
    );
    write_file(&other, text)
}

/// Removes the empty directories in `directory`, and itself if it is empty then. A failure costs some time at the
/// next start.
fn remove_empty(directory: &Path) {
    let entries = fs::read_dir(directory);
    for entry in entries.into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    if let Err(error) = fs::remove_dir(directory) {
        tracing::debug!(directory = %directory.display(), %error, "the directory stays");
    }
}

#[cfg(test)]
#[path = "tests/open_state.rs"]
mod tests;
