//! Looking up content by its digest. Each use checks the file. A damaged file is removed.

use std::fs::{File, FileTimes};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use crate::content::{
    Descriptor, Digest, Locking, MeteredReader, Progress, Silent, Step, StoreError, VerifyError,
    VerifyReader, is_at, open_regular,
};

use super::error::Error;
use super::files::{open_file, remove_damaged};
use super::last_use::{LastUse, note_use};
use super::lock::{Busy, Lock, Obstacle, when_free, when_free_to_read};
use super::open::Cache;
use super::paths::Kind;
use super::seal::{Look, look, seal};

const BUFFER: usize = 256 * 1024;

/// Content of the cache that is in use. It is not pruned while this value exists.
#[derive(Debug)]
pub(crate) struct Held {
    pub(super) path: PathBuf,
    /// The file, which is open with a shared lock.
    pub(super) file: File,
}

impl Held {
    /// Returns the path of the file. Never write to this file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Cache {
    /// Returns the content of `digest`, if it is cached, and records the use. The content is not pruned while the
    /// result exists.
    ///
    /// This checks the seal of the file. If the seal is broken, the whole file is verified, and removed if it is
    /// damaged.
    pub(crate) async fn hold_async(&self, digest: &Digest) -> Result<Option<Held>, StoreError> {
        let (cache, wanted) = (self.clone(), digest.clone());
        let attempt = move || cache.held(Kind::Blob, &wanted);
        Ok(self.look_up(Kind::Blob, digest, attempt).await?)
    }

    /// Repeats `attempt`, which looks for the content of `digest`, until no other task works on it. If the seal of the content
    /// is broken, the attempt reads the whole file, and so it is long work.
    pub(super) async fn look_up<T: Send + 'static>(
        &self,
        kind: Kind,
        digest: &Digest,
        attempt: impl Fn() -> Result<T, Obstacle> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        let (path, short) = (self.paths.content(kind, digest), attempt.clone());
        let found = when_free(move || {
            let look = look(&path, kind.mode()).map_err(Error::file(&path))?;
            match look {
                Look::Absent | Look::Sealed => short().map(Some),
                Look::Broken | Look::Foreign => Ok(None),
            }
        });
        match found.await? {
            Some(found) => Ok(found),
            None => when_free_to_read(attempt).await,
        }
    }

    /// Verifies all bytes of the content of `digest`, even if its seal is intact, and removes the file if it is
    /// damaged. Returns whether the content is cached and intact.
    pub(crate) async fn is_intact(&self, digest: &Digest) -> Result<bool, StoreError> {
        let (cache, digest) = (self.clone(), digest.clone());
        let intact = when_free_to_read(move || {
            let _turn = cache.turn(&digest)?;
            match look(&cache.paths.content(Kind::Blob, &digest), Kind::Blob.mode()) {
                Ok(Look::Absent) => Ok(false),
                _ => Ok(cache.reread(Kind::Blob, &digest, &Silent)?),
            }
        });
        Ok(intact.await?)
    }

    /// Returns the content of `digest` with a shared lock, if it is cached, and records the use.
    pub(super) fn held(&self, kind: Kind, digest: &Digest) -> Result<Option<Held>, Obstacle> {
        while let Some(path) = self.checked(kind, digest)? {
            let Some(file) = open_file(&path).map_err(Error::file(&path))? else {
                continue;
            };
            let locking = Locking::shared(&file, &path).map_err(Error::file(&path))?;
            if locking == Locking::Busy {
                // Another task is about to prune the file.
                return Err(Busy::elsewhere(&path).into());
            }
            // Otherwise the file was pruned since the check, and another one may be at its path.
            if is_at(&file, &path).map_err(Error::file(&path))? {
                note_use(&file, &path);
                return Ok(Some(Held { path, file }));
            }
        }
        Ok(None)
    }

    /// Returns the path of the content of `digest`, if it is cached and intact.
    fn checked(&self, kind: Kind, digest: &Digest) -> Result<Option<PathBuf>, Obstacle> {
        let path = self.paths.content(kind, digest);
        match look(&path, kind.mode()).map_err(Error::file(&path))? {
            Look::Absent => Ok(None),
            Look::Sealed => Ok(Some(path)),
            Look::Broken | Look::Foreign => {
                let _turn = self.turn(digest)?;
                let intact = self.recheck(kind, digest)?;
                Ok(intact.then_some(path))
            }
        }
    }

    /// Takes the right to check or to make the content of `digest`, unless another task has this right.
    pub(super) fn turn(&self, digest: &Digest) -> Result<Lock, Obstacle> {
        let path = self.paths.lock(digest);
        self.paths.make_way(&path)?;
        Ok(Lock::attempt(&path).map_err(Error::file(&path))??)
    }

    /// Verifies content whose seal is broken, and seals it again or removes it. The caller must have the
    /// [`turn`](Self::turn). Returns whether the content is cached afterwards.
    pub(super) fn recheck(&self, kind: Kind, digest: &Digest) -> Result<bool, Error> {
        let path = self.paths.content(kind, digest);
        match look(&path, kind.mode()).map_err(Error::file(&path))? {
            Look::Absent => Ok(false),
            // Another task has sealed the file while this task waited for its turn.
            Look::Sealed => Ok(true),
            Look::Broken | Look::Foreign => self.reread(kind, digest, &Silent),
        }
    }

    /// Verifies content, even if its seal is intact, and seals it or removes it. The caller must have the
    /// [`turn`](Self::turn). Returns whether the content is intact. This does not count as a use.
    pub(super) fn reread(
        &self,
        kind: Kind,
        digest: &Digest,
        progress: &dyn Progress,
    ) -> Result<bool, Error> {
        let path = self.paths.content(kind, digest);
        let reread = || {
            if look(&path, kind.mode())? == Look::Foreign {
                return Ok(false);
            }
            let (file, size) = open_regular(&path)?;
            let last_use = LastUse::of(&file)?;
            let intact = reads_as(&file, size, digest, progress)?;
            if intact {
                // Sealing sets the access time too.
                let used = last_use.latest(&file)?;
                seal(&file, kind.mode())?;
                file.set_times(FileTimes::new().set_accessed(used))?;
            }
            Ok(intact)
        };
        match reread() {
            Ok(true) => Ok(true),
            Ok(false) => {
                let removed = remove_damaged(&path).map_err(Error::file(&path));
                if kind == Kind::Executable {
                    self.remove_programs(digest)?;
                }
                removed.map(|_| false)
            }
            Err(error) => Err(Error::file(&path)(error)),
        }
    }
}

/// Whether `file`, which has `size` bytes, has the content of `digest`.
fn reads_as(file: &File, size: u64, digest: &Digest, progress: &dyn Progress) -> io::Result<bool> {
    let descriptor = Descriptor {
        media_type: String::new(),
        digest: digest.clone(),
        size,
    };
    let metered = MeteredReader::new(file, progress.begin(Step::Verifying, size));
    let mut reader = VerifyReader::new(metered, &descriptor);
    let mut buffered = BufReader::with_capacity(BUFFER, &mut reader);
    match io::copy(&mut buffered, &mut io::sink()).and_then(|_| reader.finish()) {
        Ok(()) => Ok(true),
        Err(error) => error.downcast::<VerifyError>().map(|_| false),
    }
}

#[cfg(unix)]
#[cfg(test)]
#[path = "tests/lookup.rs"]
mod tests;
