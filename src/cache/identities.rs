//! Pins: the publisher of the first archive that was used from a repository (trust on first use).
//!
//! A lost pin cannot be received again. So pruning never removes one, and a file that cannot be read is an
//! error rather than a first use.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::content::{
    AtomicFile, if_found, is_too_large, read_file_bounded, rfc3339, unix_seconds, unix_time,
};

use super::error::Error;
use super::lock::Lock;
use super::open::Cache;
use super::paths::IDENTITY;

/// The largest file that is read, in bytes.
const IDENTITY_LIMIT: u64 = 1024 * 1024;
/// For how many tags the highest revision is kept, which is far below [`IDENTITY_LIMIT`].
const TAG_LIMIT: usize = 4096;

/// The publisher that a repository is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// The public key of the account that signed, `A…`.
    pub issuer: String,
    /// The public key that identifies the provider, `V…`.
    pub subject: String,
    /// Since when the repository is pinned, in whole seconds.
    #[serde(serialize_with = "write_seconds", deserialize_with = "read_seconds")]
    pub since: SystemTime,
    /// The highest revision that was used, by tag. Archives without a revision are not recorded.
    #[serde(default)]
    pub revisions: BTreeMap<String, i32>,
}

impl Identity {
    /// Makes an identity that is pinned from now on.
    #[must_use]
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            since: unix_time(unix_seconds(SystemTime::now())),
            revisions: BTreeMap::new(),
        }
    }

    /// Returns since when the repository is pinned, for people: `2026-11-21T08:49:37Z`.
    #[must_use]
    pub fn date(&self) -> String {
        rfc3339(unix_seconds(self.since))
    }

    /// Forgets the lowest revisions, which are the oldest, beyond the limit.
    fn shorten(&mut self) {
        while self.revisions.len() > TAG_LIMIT {
            let lowest = self.revisions.iter().min_by_key(|(_, revision)| **revision);
            let Some(tag) = lowest.map(|(tag, _)| tag.clone()) else {
                return;
            };
            self.revisions.remove(&tag);
        }
    }
}

impl Cache {
    /// Returns the publisher that `registry/repository` is pinned to, if it is pinned.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedIdentity`], [`Error::MalformedName`], [`Error::File`].
    pub fn identity(&self, place: &str) -> Result<Option<Identity>, Error> {
        let path = self.paths.identity(place)?;
        let damaged = || Error::DamagedIdentity {
            place: place.to_owned(),
            path: path.clone(),
        };
        match if_found(read_file_bounded(&path, IDENTITY_LIMIT)) {
            Ok(Some(text)) => serde_json::from_slice(&text).map_err(|_| damaged()),
            Ok(None) => Ok(None),
            Err(error) if is_too_large(&error) => Err(damaged()),
            Err(error) => Err(Error::file(&path)(error)),
        }
    }

    /// Pins `registry/repository` to the publisher that `decide` returns. If it returns none, the pin stays as
    /// it is. `decide` gets the present pin, which no other task can change meanwhile.
    pub(crate) fn pin<E: From<Error>>(
        &self,
        place: &str,
        decide: impl FnOnce(Option<&Identity>) -> Result<Option<Identity>, E>,
    ) -> Result<(), E> {
        let path = self.paths.identity(place)?;
        self.paths.create_parent(&path)?;
        let lock = self.paths.identity_lock(place)?;
        let _lock = Lock::wait_for(&lock).map_err(Error::file(&lock))?;
        let known = self.identity(place)?;
        if let Some(mut identity) = decide(known.as_ref())? {
            identity.shorten();
            serde_json::to_vec(&identity)
                .map_err(io::Error::other)
                .and_then(|text| AtomicFile::create_private(&path)?.commit_with(&text))
                .map_err(Error::file(&path))?;
        }
        Ok(())
    }

    /// Removes the pin of `registry/repository`, even if it is damaged. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedName`], [`Error::File`].
    pub fn forget_identity(&self, place: &str) -> Result<bool, Error> {
        let path = self.paths.identity(place)?;
        if !path.try_exists().map_err(Error::file(&path))? {
            return Ok(false);
        }
        let lock = self.paths.identity_lock(place)?;
        let _lock = Lock::wait_for(&lock).map_err(Error::file(&lock))?;
        let removed = if_found(fs::remove_file(&path)).map_err(Error::file(&path))?;
        Ok(removed.is_some())
    }

    /// Returns all pins, by `registry/repository`.
    ///
    /// # Errors
    ///
    /// As [`identity`](Self::identity).
    pub fn identities(&self) -> Result<BTreeMap<String, Identity>, Error> {
        let mut identities = BTreeMap::new();
        let mut directories = vec![(String::new(), self.paths.identities())];
        while let Some((place, directory)) = directories.pop() {
            let entries = if_found(fs::read_dir(&directory)).map_err(Error::file(&directory))?;
            for entry in entries.into_iter().flatten() {
                let entry = entry.map_err(Error::file(&directory))?;
                let path = entry.path();
                let kind = entry.file_type().map_err(Error::file(&path))?;
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                if kind.is_dir() {
                    let separator = if place.is_empty() { "" } else { "/" };
                    directories.push((format!("{place}{separator}{name}"), path));
                } else if name == IDENTITY
                    && let Some(identity) = self.identity(&place)?
                {
                    identities.insert(place.clone(), identity);
                }
            }
        }
        Ok(identities)
    }
}

fn write_seconds<S: Serializer>(time: &SystemTime, output: S) -> Result<S::Ok, S::Error> {
    output.serialize_u64(unix_seconds(*time))
}

fn read_seconds<'de, D: Deserializer<'de>>(input: D) -> Result<SystemTime, D::Error> {
    u64::deserialize(input).map(unix_time)
}

#[cfg(test)]
#[path = "tests/identities.rs"]
mod tests;
