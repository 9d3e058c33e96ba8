//! Executables: verified, made once, whoever asks at the same time.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::content::{Digest, StoreError};

use super::Cache;
use super::content::Kind;
use super::error::Error;
use super::lock::Lock;
use super::seal::seal;
use super::waiting::{Obstacle, when_free};

/// An executable in the cache, or the right to put it there.
#[derive(Debug)]
pub enum Executable {
    /// It is there, and can be run as it is. Never write to it.
    Ready(PathBuf),
    /// It is not. All others who ask for it wait until this is filled or dropped.
    Missing(Slot),
}

/// The place of one executable in the cache, and the right to fill it.
#[derive(Debug)]
pub struct Slot {
    destination: PathBuf,
    _turn: Lock,
}

impl Cache {
    /// The permission bits of a cached executable: it runs, and nobody writes to it.
    pub const EXECUTABLE_MODE: u32 = 0o555;

    /// The executable whose signed hash is `digest`, or the place for it. Waits while somebody else, in
    /// this process or another, is about to put it there.
    ///
    /// # Errors
    ///
    /// [`Error::File`], as the error of a store.
    pub async fn executable_or_slot(&self, digest: &Digest) -> Result<Executable, StoreError> {
        let (cache, digest) = (self.clone(), digest.clone());
        Ok(when_free(move || cache.find_or_take(&digest)).await?)
    }

    fn find_or_take(&self, digest: &Digest) -> Result<Executable, Obstacle> {
        if let Some(held) = self.held(Kind::Executable, digest)? {
            return Ok(Executable::Ready(held.path().to_owned()));
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
    /// Where the executable belongs. Only a verified file may get this name, through a rename and with
    /// [`Cache::EXECUTABLE_MODE`].
    #[must_use]
    pub fn destination(&self) -> &Path {
        &self.destination
    }

    /// The executable is there now. Gives its path.
    ///
    /// # Errors
    ///
    /// [`Error::File`].
    pub fn fill(self) -> Result<PathBuf, Error> {
        File::open(&self.destination)
            .and_then(|file| seal(&file, Kind::Executable.mode()))
            .map_err(Error::file(&self.destination))?;
        Ok(self.destination)
    }
}
