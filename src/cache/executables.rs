//! Verified executables. Each one is extracted once for all tasks that need it.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::content::{Digest, StoreError};

use super::error::Error;
use super::lock::{Lock, Obstacle};
use super::lookup::Held;
use super::open::Cache;
use super::paths::Kind;
use super::programs::program;
use super::seal::seal;

/// An executable in the cache, or the right to put it there.
#[derive(Debug)]
pub(crate) enum Executable {
    /// The executable is cached and can be started at this path, which ends with its readable name. Never write to this
    /// file.
    Ready(PathBuf),
    /// The executable is not cached. Other tasks that need it wait until the slot is filled or dropped.
    Missing(Slot),
}

/// The right to put one executable into the cache.
#[derive(Debug)]
pub(crate) struct Slot {
    cache: Cache,
    digest: Digest,
    name: String,
    destination: PathBuf,
    _turn: Lock,
}

impl Cache {
    /// The permission bits of a cached executable: all users may run it, and none may write to it.
    pub const EXECUTABLE_MODE: u32 = Kind::Executable.mode();

    /// Returns the executable whose signed hash is `digest`, or the right to put it into the cache. Waits while another
    /// task of this or another process has that right. `name` is the readable name of the executable and of its
    /// process. [`program_name`](super::program_name) makes it.
    pub(crate) async fn executable_or_slot(
        &self,
        digest: &Digest,
        name: &str,
    ) -> Result<Executable, StoreError> {
        let (cache, wanted, name) = (self.clone(), digest.clone(), name.to_owned());
        let attempt = move || cache.find_or_take(&wanted, &name);
        Ok(self.look_up(Kind::Executable, digest, attempt).await?)
    }

    fn find_or_take(&self, digest: &Digest, name: &str) -> Result<Executable, Obstacle> {
        if let Some(held) = self.held(Kind::Executable, digest)? {
            return Ok(Executable::Ready(program(self, digest, name, &held)));
        }
        let turn = self.turn(digest)?;
        let destination = self.paths.content(Kind::Executable, digest);
        if self.recheck(Kind::Executable, digest)? {
            drop(turn);
            // Look again, to give the executable its name and a lock against pruning.
            return self.find_or_take(digest, name);
        }
        self.paths.make_way(&destination)?;
        Ok(Executable::Missing(Slot {
            cache: self.clone(),
            digest: digest.clone(),
            name: name.to_owned(),
            destination,
            _turn: turn,
        }))
    }
}

impl Slot {
    /// Returns the path that the executable must get. Rename only a verified file to it, with the permission bits
    /// [`Cache::EXECUTABLE_MODE`].
    pub(crate) fn destination(&self) -> &Path {
        &self.destination
    }

    /// Ends the work on the executable, after the caller has put it at its [`destination`](Self::destination). Returns
    /// the path with its readable name.
    pub(crate) fn fill(self) -> Result<PathBuf, Error> {
        let path = self.destination;
        let opened = File::open(&path).and_then(|file| {
            seal(&file, Kind::Executable.mode())?;
            Ok(file)
        });
        let file = opened.map_err(Error::file(&path))?;
        let held = Held { path, file };
        Ok(program(&self.cache, &self.digest, &self.name, &held))
    }
}
