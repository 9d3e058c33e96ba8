//! Pins: the publisher of the first archive that was used from a repository (trust on first use).
//!
//! A lost pin cannot be received again. So only the user removes a pin, and a file that cannot be read is an error and
//! does not count as a missing pin.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::content::{AtomicFile, if_found, if_there, is_too_large, read_file_bounded};

use super::error::Error;
use super::paths::{IDENTITY, place_of};
use super::pin::Pin;
use super::state::State;

/// The largest file that is read, in bytes.
pub(super) const PIN_LIMIT: u64 = 1024 * 1024;

impl State {
    /// Returns the publisher to which `registry/repository` is pinned, if it is pinned.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedPin`], [`Error::MalformedName`], [`Error::StateFile`].
    pub fn pin(&self, place: &str) -> Result<Option<Pin>, Error> {
        match self.pin_file(place)? {
            Some(path) => read(&path, place),
            None => Ok(None),
        }
    }

    /// Pins `registry/repository` to the publisher that `decide` returns. With `None`, the pin does not change.
    /// `decide` gets the current pin, which no other task can change during the call.
    pub(crate) fn change_pin<E: From<Error>>(
        &self,
        place: &str,
        decide: impl FnOnce(Option<&Pin>) -> Result<Option<Pin>, E>,
    ) -> Result<(), E> {
        let _lock = self.lock()?;
        let known = self.pin(place)?;
        if let Some(pin) = decide(known.as_ref())? {
            self.write(place, pin)?;
        }
        Ok(())
    }

    /// Removes the pin of `registry/repository`, even if it is damaged. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedName`], [`Error::StateFile`], [`Error::StateDirectory`].
    pub fn forget_pin(&self, place: &str) -> Result<bool, Error> {
        let Some(path) = self.pin_file(place)? else {
            return Ok(false);
        };
        let there = if_there(&path, path.symlink_metadata());
        if there.map_err(Error::state_file(&path))?.is_none() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        self.remove(place)
    }

    /// Returns all pins, by `registry/repository`.
    ///
    /// # Errors
    ///
    /// As [`pin`](Self::pin).
    pub fn pins(&self) -> Result<BTreeMap<String, Pin>, Error> {
        let pins = self.each_pin()?.into_iter();
        pins.map(|(place, pin)| Ok((place, pin?))).collect()
    }

    /// Returns all pins as [`pins`](Self::pins) does, but with a separate error for each pin that cannot be
    /// read.
    pub(crate) fn each_pin(&self) -> Result<BTreeMap<String, Result<Pin, Error>>, Error> {
        let Some(directory) = self.pins_directory() else {
            return Ok(BTreeMap::new());
        };
        let files = pin_files(&directory)?.into_iter();
        let pins = files.filter_map(|(place, path)| {
            let pin = read(&path, &place).transpose()?;
            Some((place, pin))
        });
        Ok(pins.collect())
    }

    /// Writes a pin. The caller must have locked the state.
    pub(super) fn write(&self, place: &str, mut pin: Pin) -> Result<(), Error> {
        pin.shorten();
        let path = self.pin_file(place)?.ok_or(Error::NoStateDirectory)?;
        let text = serde_json::to_vec(&pin).map_err(io::Error::other);
        let text = text.map_err(Error::state_file(&path))?;
        write_file(&path, &text)
    }

    /// Removes a pin. The caller must have locked the state.
    pub(super) fn remove(&self, place: &str) -> Result<bool, Error> {
        let Some(path) = self.pin_file(place)? else {
            return Ok(false);
        };
        let removed = if_found(fs::remove_file(&path)).map_err(Error::state_file(&path))?;
        Ok(removed.is_some())
    }
}

/// Reads a pin.
pub(super) fn read(path: &Path, place: &str) -> Result<Option<Pin>, Error> {
    let damaged = || Error::DamagedPin {
        place: place.to_owned(),
        path: path.to_owned(),
    };
    match if_there(path, read_file_bounded(path, PIN_LIMIT)) {
        Ok(Some(text)) => match serde_json::from_slice::<Pin>(&text) {
            Ok(pin) => Ok(Some(pin)),
            Err(_) => Err(damaged()),
        },
        Ok(None) => Ok(None),
        Err(error) if is_too_large(&error) => Err(damaged()),
        Err(error) => Err(Error::state_file(path)(error)),
    }
}

/// Writes the file of a pin. The file gets its name after it is complete.
pub(super) fn write_file(path: &Path, text: &[u8]) -> Result<(), Error> {
    State::create_parent(path)?;
    let written = AtomicFile::create_private(path).and_then(|file| file.commit_with(text));
    written.map_err(Error::state_file(path))
}

/// Returns the files of all pins in a directory, by `registry/repository`.
pub(super) fn pin_files(directory: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut files = BTreeMap::new();
    let mut directories = vec![(String::new(), directory.to_owned())];
    while let Some((place, directory)) = directories.pop() {
        let entries = match fs::read_dir(&directory) {
            // Something above the directory is a file, such as a home directory that is `/dev/null`.
            Err(error)
                if error.kind() == io::ErrorKind::NotADirectory
                    && directory.symlink_metadata().is_err() =>
            {
                continue;
            }
            entries => if_there(&directory, entries).map_err(Error::state_file(&directory))?,
        };
        for entry in entries.into_iter().flatten() {
            let entry = entry.map_err(Error::state_file(&directory))?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if name == IDENTITY {
                files.insert(place_of(&place), path);
                continue;
            }
            // Links are followed, as in looking up one pin.
            let found = if_there(&path, fs::metadata(&path)).map_err(Error::state_file(&path))?;
            if found.is_some_and(|found| found.is_dir()) {
                let separator = if place.is_empty() { "" } else { "/" };
                directories.push((format!("{place}{separator}{name}"), path));
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
#[path = "tests/pins.rs"]
mod tests;
