//! Pins: the publisher of the first archive that was used from a repository (trust on first use).
//!
//! A lost pin cannot be received again. So only the user removes a pin, and a file that cannot be read is an error and
//! does not count as a missing pin.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::content::{AtomicFile, if_found, is_absent, is_too_large, read_file_bounded};

use super::error::Error;
use super::identity::Identity;
use super::paths::{IDENTITY, place_of};
use super::state::State;

/// The largest file that is read, in bytes.
pub(super) const IDENTITY_LIMIT: u64 = 1024 * 1024;

impl State {
    /// Returns the publisher to which `registry/repository` is pinned, if it is pinned.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedIdentity`], [`Error::MalformedName`], [`Error::StateFile`].
    pub fn identity(&self, place: &str) -> Result<Option<Identity>, Error> {
        match self.identity_file(place)? {
            Some(path) => read(&path, place),
            None => Ok(None),
        }
    }

    /// Pins `registry/repository` to the publisher that `decide` returns. With `None`, the pin does not change.
    /// `decide` gets the current pin, which no other task can change during the call.
    pub(crate) fn pin<E: From<Error>>(
        &self,
        place: &str,
        decide: impl FnOnce(Option<&Identity>) -> Result<Option<Identity>, E>,
    ) -> Result<(), E> {
        let _lock = self.lock()?;
        let known = self.identity(place)?;
        if let Some(identity) = decide(known.as_ref())? {
            self.write(place, identity)?;
        }
        Ok(())
    }

    /// Removes the pin of `registry/repository`, even if it is damaged. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedName`], [`Error::StateFile`], [`Error::StateDirectory`].
    pub fn forget_identity(&self, place: &str) -> Result<bool, Error> {
        let Some(path) = self.identity_file(place)? else {
            return Ok(false);
        };
        if !path.try_exists().map_err(Error::state_file(&path))? {
            return Ok(false);
        }
        let _lock = self.lock()?;
        self.remove(place)
    }

    /// Returns all pins, by `registry/repository`.
    ///
    /// # Errors
    ///
    /// As [`identity`](Self::identity).
    pub fn identities(&self) -> Result<BTreeMap<String, Identity>, Error> {
        let pins = self.each_identity()?.into_iter();
        pins.map(|(place, pin)| Ok((place, pin?))).collect()
    }

    /// Returns all pins as [`identities`](Self::identities) does, but with a separate error for each pin that cannot be
    /// read.
    pub(crate) fn each_identity(&self) -> Result<BTreeMap<String, Result<Identity, Error>>, Error> {
        let Some(directory) = self.pins() else {
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
    pub(super) fn write(&self, place: &str, mut identity: Identity) -> Result<(), Error> {
        identity.shorten();
        let path = self.identity_file(place)?.ok_or(Error::NoStateDirectory)?;
        let text = serde_json::to_vec(&identity).map_err(io::Error::other);
        let text = text.map_err(Error::state_file(&path))?;
        write_file(&path, &text)
    }

    /// Removes a pin. The caller must have locked the state.
    pub(super) fn remove(&self, place: &str) -> Result<bool, Error> {
        let Some(path) = self.identity_file(place)? else {
            return Ok(false);
        };
        let removed = if_found(fs::remove_file(&path)).map_err(Error::state_file(&path))?;
        Ok(removed.is_some())
    }
}

/// Reads a pin.
pub(super) fn read(path: &Path, place: &str) -> Result<Option<Identity>, Error> {
    let damaged = || Error::DamagedIdentity {
        place: place.to_owned(),
        path: path.to_owned(),
    };
    match if_found(read_file_bounded(path, IDENTITY_LIMIT)) {
        Ok(Some(text)) => serde_json::from_slice(&text).map_err(|_| damaged()),
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
            Err(error) if is_absent(&error) => continue,
            entries => entries.map_err(Error::state_file(&directory))?,
        };
        for entry in entries {
            let entry = entry.map_err(Error::state_file(&directory))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(Error::state_file(&path))?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if kind.is_dir() {
                let separator = if place.is_empty() { "" } else { "/" };
                directories.push((format!("{place}{separator}{name}"), path));
            } else if name == IDENTITY {
                files.insert(place_of(&place), path);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
#[path = "tests/pins.rs"]
mod tests;
