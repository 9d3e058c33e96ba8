//! Opening the state, and moving the pins that an older version left in the cache.

use std::fs;
use std::path::Path;

use crate::content::{if_found, read_file_bounded};

use super::error::Error;
use super::paths::Paths;
use super::pins::{PIN_LIMIT, pin_files, read, write_file};
use super::state::State;

/// The file name for a pin from the cache when the state has a pin to another publisher.
const OTHER: &str = "_identity_of_cache";

impl State {
    /// Opens the state in `directory`, or in the user's directory for state (`$XDG_STATE_HOME/wasmcloud-par`, or
    /// `~/.local/state/wasmcloud-par`). Creates nothing: the directory is created with the first pin.
    ///
    /// Older versions kept pins in the cache. This moves the pins in `cache`, or in the user's cache directory, into
    /// the state. Processes that do this at the same time wait for each other.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignState`] and [`Error::SharedState`] when another user could change or replace the state;
    /// [`Error::StateDirectory`], [`Error::StateFile`], [`Error::NoStateDirectory`] and the errors of
    /// [`Cache::open`](super::Cache::open) when pins in the cache cannot be moved.
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

    /// Moves the pins in a cache into the state. A pin is removed from the cache after it is in the state.
    fn take_over(&self, cache: &Paths) -> Result<(), Error> {
        let old = cache.old_identities();
        if pin_files(&old)?.is_empty() {
            return Ok(());
        }
        // Fails when another user could have written the pins.
        cache.exist()?;
        let _lock = self.lock()?;
        // Another process may have moved the pins in the meantime.
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
        let Some(path) = self.pin_file(place)? else {
            return Err(Error::NoStateDirectory);
        };
        let Some(text) =
            if_found(read_file_bounded(old, PIN_LIMIT + 1)).map_err(Error::state_file(old))?
        else {
            return Ok(());
        };
        if !path.try_exists().map_err(Error::state_file(&path))? {
            // A damaged pin is moved as it is. Reading it is an error.
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

/// Keeps a pin from the cache beside the pin in the state, which names another publisher. The file is only for people
/// to read.
fn keep_other(place: &str, path: &Path, text: &[u8]) -> Result<(), Error> {
    let other = path.with_file_name(OTHER);
    tracing::warn!(
        "the cache and the state pin {place} to different publishers: the pin of the state is used, and that of \
         the cache is kept in {}",
        other.display()
    );
    write_file(&other, text)
}

/// Removes the empty directories in `directory`, and then `directory` itself if it is empty. After a failure, the next
/// start only takes longer.
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
