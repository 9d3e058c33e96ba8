//! The cache: content by digest, verified executables, and what tags pointed to.
//!
//! ```text
//! $XDG_CACHE_HOME/wasmcloud-par/v1/        only its owner may enter, nobody else may replace it
//!   blobs/sha256/<hex>                     manifests and layers, read-only
//!   executables/sha256/<hex>               verified executables, 0555, named by their signed hash
//!   references/<registry>/<repository>/_tags/<tag>   what a tag pointed to, and when that was confirmed
//!   identities/<registry>/<repository>/_identity   who it is pinned to; never pruned
//!   heads/<registry>/<repository>/_tags/<tag>        how its archive begins, if its manifest says nothing of it
//!   places/sha256/<hex>                    repositories in which content was seen, a line for each
//!   partial/sha256/<hex>                   unfinished downloads, of blobs and of parts of them, continued
//!                                          by whoever comes next
//!   partial/sha256/<hex>.lock              held by who makes or checks what has this digest
//! ```
//!
//! A file under its final name is complete and verified; nothing is ever overwritten in place.
//! Processes coordinate through locks, so one download and one extraction serve all who wait.
//!
//! - **Hits are checked** by their seal (`seal.rs`), at the cost of one look at the metadata;
//!   [`Cache::verify`] reads everything. What is damaged is removed and made anew, never served.
//! - **Waiting** for whoever is at work on the same takes no thread of a runtime (`waiting.rs`).
//! - **Use** is noted in the access time of a file. [`Cache::prune`] takes what was not used for longest,
//!   but nothing that somebody holds a shared lock on, and nothing that was used within the last hour:
//!   the path of an executable outlives the call that gave it.

mod blobs;
mod content;
mod entries;
mod error;
mod executables;
mod heads;
mod identities;
mod listing;
mod lock;
mod paths;
mod places;
#[cfg(unix)]
mod private;
mod prune;
mod ranges;
mod references;
mod seal;
mod verify;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::paths::Paths;

pub use content::Held;
pub use error::Error;
pub use executables::{Executable, Slot};
pub use identities::Identity;
pub use listing::{Listed, Listing, Usage};
pub use prune::{PruneOptions, Pruned};
pub(crate) use ranges::PartialRange;
pub use references::Record;
pub use verify::Verified;

/// The cache of one user on one machine. Cheap to clone; any number of processes may use one.
#[derive(Debug, Clone)]
pub struct Cache {
    paths: Arc<Paths>,
}

impl Cache {
    /// Opens the cache in `directory`, or in the user's cache folder
    /// (`$XDG_CACHE_HOME/wasmcloud-par`, or `~/.cache/wasmcloud-par`). Creates what is missing.
    ///
    /// # Errors
    ///
    /// [`Error::NoDirectory`] when no folder is known, [`Error::Folder`] and [`Error::NotAFolder`] when it
    /// cannot be created, [`Error::WithinCache`] for the `v1` of a cache, [`Error::ForeignDirectory`] and
    /// [`Error::SharedDirectory`] when others could change what is in it, or replace it.
    pub fn open(directory: Option<&Path>) -> Result<Self, Error> {
        let paths = Paths::in_folder(directory)?;
        paths.create()?;
        Ok(Self::at(paths))
    }

    /// The same, if there is a cache: nothing is created for who only wants to know what is in it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_existing(directory: Option<&Path>) -> Result<Option<Self>, Error> {
        let paths = Paths::in_folder(directory)?;
        Ok(paths.exist()?.then(|| Self::at(paths)))
    }

    /// The folder that [`open`](Self::open) takes for the cache, which need not be there: `directory` as an
    /// absolute path, or that of the user.
    ///
    /// # Errors
    ///
    /// [`Error::NoDirectory`], [`Error::WithinCache`].
    pub fn folder(directory: Option<&Path>) -> Result<PathBuf, Error> {
        Paths::in_folder(directory).map(Paths::into_folder)
    }

    fn at(paths: Paths) -> Self {
        Self {
            paths: Arc::new(paths),
        }
    }

    /// Where the files of this cache are: the folder of its version, in the one that it was opened in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.paths.root()
    }
}
