//! Verified executables. Each is made once, for all tasks that want it.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::content::{Digest, StoreError};

use super::error::Error;
use super::lock::{Lock, Obstacle, when_free};
use super::open::Cache;
use super::paths::Kind;
use super::seal::seal;

/// An executable in the cache, or the right to put it there.
#[derive(Debug)]
pub(crate) enum Executable {
    /// The executable is cached, and can be run at this path. Never write to it.
    Ready(PathBuf),
    /// The executable is not cached. Other tasks that want it wait until the slot is filled or dropped.
    Missing(Slot),
}

/// The right to put one executable into the cache.
#[derive(Debug)]
pub(crate) struct Slot {
    destination: PathBuf,
    _turn: Lock,
}

impl Cache {
    /// The permission bits of a cached executable: everybody may run it, and nobody may write to it.
    pub const EXECUTABLE_MODE: u32 = Kind::Executable.mode();

    /// Returns the executable whose signed hash is `digest`, or the right to put it into the cache. Waits
    /// while another task, of this process or another one, has that right.
    pub(crate) async fn executable_or_slot(
        &self,
        digest: &Digest,
    ) -> Result<Executable, StoreError> {
        let (cache, digest) = (self.clone(), digest.clone());
        Ok(when_free(move || cache.find_or_take(&digest)).await?)
    }

    fn find_or_take(&self, digest: &Digest) -> Result<Executable, Obstacle> {
        if let Some(held) = self.held(Kind::Executable, digest)? {
            return Ok(Executable::Ready(held.path));
        }
        let turn = self.turn(digest)?;
        let destination = self.paths.content(Kind::Executable, digest);
        if self.recheck(Kind::Executable, digest)? {
            return Ok(Executable::Ready(destination));
        }
        self.paths.create_parent(&destination)?;
        Ok(Executable::Missing(Slot {
            destination,
            _turn: turn,
        }))
    }
}

impl Slot {
    /// Returns the path of the executable. Only a verified file may be renamed to it, with the permission bits
    /// [`Cache::EXECUTABLE_MODE`].
    pub(crate) fn destination(&self) -> &Path {
        &self.destination
    }

    /// Ends the work on the executable, which is at its [`destination`](Self::destination) now. Returns that
    /// path.
    pub(crate) fn fill(self) -> Result<PathBuf, Error> {
        File::open(&self.destination)
            .and_then(|file| seal(&file, Kind::Executable.mode()))
            .map_err(Error::file(&self.destination))?;
        Ok(self.destination)
    }
}
