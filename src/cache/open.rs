//! Opening a cache.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Error;
use super::paths::Paths;

/// The cache of one user on one machine. It is cheap to clone, and any number of processes may use it at
/// once.
#[derive(Debug, Clone)]
pub struct Cache {
    pub(super) paths: Arc<Paths>,
}

impl Cache {
    /// Opens the cache in `directory`, or in the user's cache directory
    /// (`$XDG_CACHE_HOME/wasmcloud-par`, or `~/.cache/wasmcloud-par`). Creates what is missing.
    ///
    /// # Errors
    ///
    /// [`Error::NoDirectory`] when no directory is known, [`Error::Directory`] and [`Error::NotADirectory`] when it
    /// cannot be created, [`Error::WithinCache`] for the `v1` directory of a cache, and [`Error::ForeignDirectory`] and
    /// [`Error::SharedDirectory`] when another user could change or replace its content.
    pub fn open(directory: Option<&Path>) -> Result<Self, Error> {
        let paths = Paths::in_directory(directory)?;
        paths.create()?;
        Ok(Self::at(paths))
    }

    /// Opens the cache in `directory`, or in the user's cache directory, if there is one. Creates nothing.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_existing(directory: Option<&Path>) -> Result<Option<Self>, Error> {
        let paths = Paths::in_directory(directory)?;
        Ok(paths.exist()?.then(|| Self::at(paths)))
    }

    /// Returns the directory in which [`open`](Self::open) opens the cache: `directory` as an absolute path, or the
    /// user's cache directory. It may not exist.
    ///
    /// # Errors
    ///
    /// [`Error::NoDirectory`], [`Error::WithinCache`].
    pub fn directory_to_open(directory: Option<&Path>) -> Result<PathBuf, Error> {
        Paths::in_directory(directory).map(Paths::into_directory)
    }

    fn at(paths: Paths) -> Self {
        Self {
            paths: Arc::new(paths),
        }
    }

    /// Returns the directory with the files of this cache. It is named after the version of the format, and is in the
    /// directory in which the cache was opened.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.paths.root()
    }
}
