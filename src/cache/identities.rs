//! Who published what was first used from a repository: pins, of trust on first use.
//!
//! They are knowledge, not content: nothing can bring one back, so pruning never takes them, and a file
//! that cannot be read is an error and never "first use".

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::content::{AtomicFile, rfc3339};

use super::Cache;
use super::error::Error;
use super::paths::{IDENTITY, LOCK};

/// The largest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// Of so many tags the highest revision is kept, which fits in [`LONGEST`] by far.
const MOST_TAGS: usize = 4096;

/// Who a repository is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The public key of the account that signed, `A…`.
    pub issuer: String,
    /// The public key that identifies the provider, `V…`.
    pub subject: String,
    /// Since when it is pinned, in seconds since 1970.
    pub since: u64,
    /// The highest revision that was used, by tag. Archives without a revision leave no trace here.
    #[serde(default)]
    pub revisions: BTreeMap<String, i32>,
}

impl Identity {
    /// An identity that is pinned from now on.
    #[must_use]
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            since: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            revisions: BTreeMap::new(),
        }
    }

    /// Since when it is pinned, for people: `2026-11-21T08:49:37Z`.
    #[must_use]
    pub fn date(&self) -> String {
        rfc3339(self.since)
    }

    /// Forgets the lowest revisions, which are the oldest, when there are too many.
    fn shorten(&mut self) {
        while self.revisions.len() > MOST_TAGS {
            let lowest = self.revisions.iter().min_by_key(|(_, revision)| **revision);
            let Some(tag) = lowest.map(|(tag, _)| tag.clone()) else {
                return;
            };
            self.revisions.remove(&tag);
        }
    }
}

impl Cache {
    /// Who `registry/repository` is pinned to, if it is.
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
        let mut text = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut text));
        match read {
            Ok(_) if text.len() as u64 > LONGEST => Err(damaged()),
            Ok(_) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|_| damaged()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(&path)(error)),
        }
    }

    /// Pins `registry/repository` to what `decide` gives, or leaves it as it is when that is nothing.
    /// `decide` sees who it is pinned to, while no other process can change it.
    ///
    /// # Errors
    ///
    /// As [`identity`](Self::identity), and what `decide` says. Nothing is changed then.
    pub fn pin<E: From<Error>>(
        &self,
        place: &str,
        decide: impl FnOnce(Option<&Identity>) -> Result<Option<Identity>, E>,
    ) -> Result<(), E> {
        let path = self.paths.identity(place)?;
        self.paths.create_parent(&path)?;
        let _lock = lock(&path)?;
        let known = self.identity(place)?;
        if let Some(mut identity) = decide(known.as_ref())? {
            identity.shorten();
            write(&path, &identity).map_err(Error::file(&path))?;
        }
        Ok(())
    }

    /// Forgets who `registry/repository` is pinned to, also when that can no longer be read. Gives
    /// whether it was pinned.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedName`], [`Error::File`].
    pub fn forget_identity(&self, place: &str) -> Result<bool, Error> {
        let path = self.paths.identity(place)?;
        if !path.try_exists().map_err(Error::file(&path))? {
            return Ok(false);
        }
        let _lock = lock(&path)?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::file(&path)(error)),
        }
    }

    /// All that is pinned, by `registry/repository`.
    ///
    /// # Errors
    ///
    /// As [`identity`](Self::identity).
    pub fn identities(&self) -> Result<BTreeMap<String, Identity>, Error> {
        let mut identities = BTreeMap::new();
        let mut folders = vec![(String::new(), self.paths.identities())];
        while let Some((place, folder)) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::file(&folder)(error)),
            };
            for entry in entries {
                let entry = entry.map_err(Error::file(&folder))?;
                let path = entry.path();
                let kind = entry.file_type().map_err(Error::file(&path))?;
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                if kind.is_dir() {
                    let separator = if place.is_empty() { "" } else { "/" };
                    folders.push((format!("{place}{separator}{name}"), path));
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

/// Waits until nobody else changes the file at `path`. Its own lock would not do: it is replaced.
fn lock(path: &Path) -> Result<File, Error> {
    let path = path.with_file_name(LOCK);
    let locked = || {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        file.lock()?;
        Ok(file)
    };
    locked().map_err(Error::file(&path))
}

fn write(path: &Path, identity: &Identity) -> io::Result<()> {
    let text = serde_json::to_vec(identity).map_err(io::Error::other)?;
    let mut file = AtomicFile::create_private(path)?;
    file.write_all(&text)?;
    file.commit().map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    const PLACE: &str = "ghcr.io/org/provider";

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(folder.path())).unwrap();
        (folder, cache)
    }

    fn pin(cache: &Cache, place: &str, issuer: &str) {
        let identity = Identity::new(issuer, "V");
        cache
            .pin::<Error>(place, |_| Ok(Some(identity.clone())))
            .unwrap();
        assert_eq!(cache.identity(place).unwrap(), Some(identity));
    }

    #[test]
    fn a_repository_within_another_has_a_pin_of_its_own() {
        let (_folder, cache) = cache();
        assert_eq!(cache.identity(PLACE).unwrap(), None);
        assert!(cache.identities().unwrap().is_empty());
        let places = [
            "ghcr.io/org",
            "ghcr.io/org/provider",
            "localhost:5000/org/provider",
        ];
        for place in places {
            pin(&cache, place, place);
        }
        let all = cache.identities().unwrap();
        assert_eq!(all.keys().collect::<Vec<_>>(), places.each_ref());
        assert!(cache.forget_identity(PLACE).unwrap());
        assert!(!cache.forget_identity(PLACE).unwrap());
        assert_eq!(cache.identity(PLACE).unwrap(), None);
        assert_eq!(cache.identities().unwrap().len(), 2);
    }

    #[test]
    fn a_damaged_pin_is_no_first_use() {
        let (_folder, cache) = cache();
        pin(&cache, PLACE, "A");
        let path = cache.paths.identity(PLACE).unwrap();
        let whole = fs::read(&path).unwrap();
        let long = vec![b' '; LONGEST as usize + 1];
        for damaged in [&b""[..], &whole[..whole.len() - 1], b"{}", b"\xff", &long] {
            fs::write(&path, damaged).unwrap();
            for error in [
                cache.identity(PLACE).unwrap_err(),
                cache
                    .pin::<Error>(PLACE, |_| panic!("it decides about nothing"))
                    .unwrap_err(),
                cache.identities().unwrap_err(),
            ] {
                assert!(matches!(error, Error::DamagedIdentity { .. }), "{error}");
            }
            assert_eq!(fs::read(&path).unwrap(), damaged);
        }
        assert!(cache.forget_identity(PLACE).unwrap());
        pin(&cache, PLACE, "A");
    }

    #[test]
    fn of_many_that_pin_at_once_each_sees_what_the_others_did() {
        let (_folder, cache) = cache();
        let together = Barrier::new(8);
        std::thread::scope(|scope| {
            for tag in 0..8 {
                let (cache, together) = (cache.clone(), &together);
                scope.spawn(move || {
                    together.wait();
                    let decide = |known: Option<&Identity>| {
                        let fresh = Identity::new("A", "V");
                        let mut identity = known.cloned().unwrap_or(fresh);
                        identity.revisions.insert(tag.to_string(), tag);
                        Ok::<_, Error>(Some(identity))
                    };
                    cache.pin(PLACE, decide).unwrap();
                });
            }
        });
        let identity = cache.identity(PLACE).unwrap().unwrap();
        assert_eq!(identity.revisions.len(), 8);
    }

    #[test]
    fn of_very_many_tags_the_highest_revisions_are_kept_and_can_be_read() {
        let (_folder, cache) = cache();
        let mut identity = Identity::new(&"A".repeat(56), &"V".repeat(56));
        for tag in 0..=MOST_TAGS {
            let name = format!("{tag:0>128}");
            identity.revisions.insert(name, i32::MIN + tag as i32);
        }
        cache
            .pin::<Error>(PLACE, |_| Ok(Some(identity.clone())))
            .unwrap();
        let kept = cache.identity(PLACE).unwrap().unwrap().revisions;
        assert_eq!(kept.len(), MOST_TAGS);
        assert!(!kept.contains_key(&"0".repeat(128)));
    }
}
