//! What can go wrong with the cache.

use std::io;
use std::path::{Path, PathBuf};

use crate::content::{Digest, ErrorKind, StoreError, VerifyError, in_place_of_a_folder};

/// An error of the cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No folder is known for the cache.
    #[error(
        "no folder for the cache is known: neither --cache-dir nor XDG_CACHE_HOME is set, and there is no home folder"
    )]
    NoDirectory,
    /// The folder, or one that it is in, belongs to another user, who could put anything there.
    #[error("the cache cannot be in {}: it belongs to another user", .0.display())]
    ForeignDirectory(PathBuf),
    /// Others may write to the folder, or to one that it is in.
    #[error("the cache cannot be in {}: others may write to it", .0.display())]
    SharedDirectory(PathBuf),
    /// The folder is what is in a cache, and not that of one.
    #[error("{} is within a cache, and not the folder of one", .0.display())]
    WithinCache(PathBuf),
    /// Something else is where the cache has a folder.
    #[error("the cache cannot be in {}: a folder is expected, and that is none", .0.display())]
    NotAFolder(PathBuf),
    /// A folder of the cache could not be made, or looked at.
    #[error("cannot use the cache folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the cache could not be used.
    #[error("cannot use the cache file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Content is not in the cache.
    #[error("{0} is not in the cache")]
    NoContent(Digest),
    /// Nothing is recorded for a name.
    #[error("the cache knows nothing of {0}")]
    NoReference(String),
    /// A name cannot be one of a reference.
    #[error("`{0}` is not the name of a reference")]
    MalformedName(String),
    /// Receiving content failed.
    #[error("receiving {digest} failed")]
    Receive {
        /// The content.
        digest: Digest,
        /// What its source said.
        source: io::Error,
    },
    /// What was received is not what was asked for.
    #[error("what was received is not what was asked for")]
    NotVerified(#[from] VerifyError),
    /// Who a repository is pinned to cannot be read.
    #[error("who {place} is pinned to cannot be read from {}: the file is damaged", path.display())]
    DamagedIdentity {
        /// The registry and the repository.
        place: String,
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(crate) fn folder(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match in_place_of_a_folder(&path) {
            Some(other) => Self::NotAFolder(other.to_owned()),
            None => Self::Folder { path, source },
        }
    }

    /// What the system said of a file or a folder.
    fn of_system(&self) -> Option<&io::Error> {
        match self {
            Self::File { source, .. } | Self::Folder { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Whether a file could not be written because the disk is full, or what this user or process may
    /// have of it.
    pub(crate) fn is_full(&self) -> bool {
        self.of_system().is_some_and(is_full)
    }

    /// What a caller can decide on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { source, .. } | Self::Folder { source, .. } => ErrorKind::of_io(source),
            Self::Receive { source, .. } => match source.get_ref() {
                // The source stopped the work itself, or told how it failed.
                Some(inner) => inner
                    .downcast_ref::<StoreError>()
                    .map_or(ErrorKind::Unavailable, StoreError::kind),
                None => ErrorKind::Unavailable,
            },
            Self::NoContent(_) | Self::NoReference(_) => ErrorKind::NotFound,
            Self::MalformedName(_) | Self::WithinCache(_) | Self::NotAFolder(_) => ErrorKind::Usage,
            Self::NotVerified(_) | Self::DamagedIdentity { .. } => ErrorKind::NotVerified,
            Self::ForeignDirectory(_) | Self::SharedDirectory(_) => ErrorKind::Denied,
            Self::NoDirectory => ErrorKind::Other,
        }
    }
}

/// Whether the disk, or what this user or process may have of it, is full.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error)
    }
}
