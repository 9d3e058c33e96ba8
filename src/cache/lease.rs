//! Leases: keeping an executable from being pruned for longer than a fetch takes.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::content::{is_at, shared_when_free};

use super::error::Error;
use super::files::open_file;

/// Keeps an executable of the cache from being pruned by any process, until this value is dropped or its process ends.
/// Everything that the executable needs to be started without the registry is kept as well.
///
/// A lease is a shared lock on the file, so any number of processes can have one. On a file system without locks, it
/// has no effect.
#[derive(Debug)]
#[must_use = "the lease ends when it is dropped"]
pub struct Lease {
    path: PathBuf,
    _file: File,
}

impl Lease {
    /// Takes a lease of the executable at `path`, which a fetch has returned. Blocks for some system calls.
    ///
    /// # Errors
    ///
    /// [`Error::NoExecutable`] when the executable has been pruned since then, so that it has to be fetched again;
    /// [`Error::File`].
    pub(crate) fn of(path: &Path) -> Result<Self, Error> {
        let lease = || {
            let Some(file) = open_file(path)? else {
                return Ok(None);
            };
            // Only a task that prunes has an exclusive lock, for a moment. It may remove the file in that time.
            shared_when_free(&file, path)?;
            Ok(is_at(&file, path)?.then_some(file))
        };
        match lease().map_err(Error::file(path))? {
            Some(file) => Ok(Self {
                path: path.to_owned(),
                _file: file,
            }),
            None => Err(Error::NoExecutable(path.to_owned())),
        }
    }

    /// Returns the path of the executable.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
