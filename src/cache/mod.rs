//! The cache: content by digest, verified executables, and what tags pointed to.
//!
//! ```text
//! $XDG_CACHE_HOME/wasmcloud-par/v1/        only its owner may enter
//!   blobs/sha256/<hex>                     manifests and layers, read-only
//!   executables/sha256/<hex>               verified executables, 0555, named by their signed hash
//!   references/<registry>/<repository>/_tags/<tag>   what a tag pointed to, and when that was confirmed
//!   identities/<registry>/<repository>/_identity   who it is pinned to; never pruned
//!   heads/<registry>/<repository>/_tags/<tag>        how its archive begins, if its manifest says nothing of it
//!   places/sha256/<hex>                    repositories in which content was seen, a line for each
//!   partial/sha256/<hex>                   unfinished downloads, of blobs and of parts of them, continued
//!                                          by whoever comes next
//! ```
//!
//! A file under its final name is complete and verified; nothing is ever overwritten in place.
//! Processes coordinate through a lock on the unfinished file, so one download serves all who wait.

mod blobs;
mod error;
mod heads;
mod identities;
mod paths;
mod places;
mod ranges;
mod references;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::content::Digest;

use self::paths::Paths;

pub use error::Error;
pub use identities::Identity;
pub(crate) use ranges::PartialRange;
pub use references::Record;

/// The cache of one user on one machine. Cheap to clone; any number of processes may use one.
#[derive(Debug, Clone)]
pub struct Cache {
    paths: Arc<Paths>,
}

impl Cache {
    /// Opens the cache under `directory`, or under the user's cache folder
    /// (`$XDG_CACHE_HOME/wasmcloud-par`, or `~/.cache/wasmcloud-par`). Creates what is missing.
    ///
    /// # Errors
    ///
    /// [`Error::NoDirectory`] when no folder is known, [`Error::File`] when it cannot be created.
    pub fn open(directory: Option<&Path>) -> Result<Self, Error> {
        let paths = Paths::create(directory)?;
        Ok(Self {
            paths: Arc::new(paths),
        })
    }

    /// The folder of this cache, its version included.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.paths.root()
    }

    /// The file that holds the content of `digest`, if it is there.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> Option<PathBuf> {
        Some(self.paths.blob(digest)).filter(|path| path.is_file())
    }

    /// The verified executable whose signed hash is `digest`, if it is there.
    #[must_use]
    pub fn executable(&self, digest: &Digest) -> Option<PathBuf> {
        Some(self.paths.executable(digest)).filter(|path| path.is_file())
    }

    /// Where the executable whose signed hash is `digest` belongs. Only a verified file may get this
    /// name, through a rename and with [`Self::EXECUTABLE_MODE`].
    ///
    /// # Errors
    ///
    /// [`Error::File`] when its folder cannot be created.
    pub fn executable_destination(&self, digest: &Digest) -> Result<PathBuf, Error> {
        let path = self.paths.executable(digest);
        self.paths.create_parent(&path)?;
        Ok(path)
    }

    /// The permission bits of a cached executable: it runs, and nobody writes to it.
    pub const EXECUTABLE_MODE: u32 = 0o555;
}
