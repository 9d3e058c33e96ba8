//! The errors of the cache and of the state.

use std::io;
use std::path::{Path, PathBuf};

use crate::content::{
    Digest, ErrorKind, RuntimeEnded, StoreError, VerifyError, is_stopped, non_directory_at,
};

/// An error of the cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No directory is known for the cache: none was given, `XDG_CACHE_HOME` is not set, and the user has no
    /// home directory.
    #[error(
        "no directory for the cache is known: none is given, XDG_CACHE_HOME is not set, and there is no home directory"
    )]
    NoDirectory,
    /// The directory of the cache, or a directory above it, belongs to another user, who could change the cache.
    #[error("the cache cannot be in {}: it belongs to another user", .0.display())]
    ForeignDirectory(PathBuf),
    /// Other users may write to the directory of the cache, or to a directory above it.
    #[error("the cache cannot be in {}: other users may write to it", .0.display())]
    SharedDirectory(PathBuf),
    /// The directory is the `v1` directory within a cache.
    #[error("{} is within a cache: the directory of the cache is the one above it", .0.display())]
    WithinCache(PathBuf),
    /// A path at which the cache needs a directory is a file or something else.
    #[error("the cache cannot be in {}: not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// A directory of the cache could not be created or read.
    #[error("cannot use the cache directory {}", path.display())]
    Directory {
        /// The path of the directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file of the cache could not be read or written.
    #[error("cannot use the cache file {}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// No directory is known for the state: none was given, `XDG_STATE_HOME` is not set, and the user has no
    /// home directory.
    #[error(
        "no directory for the pins of repositories is known: none is given, XDG_STATE_HOME is not set, and there is \
         no home directory"
    )]
    NoStateDirectory,
    /// The directory of the state, or a directory above it, belongs to another user, who could change the pins.
    #[error("the pins of repositories cannot be in {}: it belongs to another user", .0.display())]
    ForeignState(PathBuf),
    /// Other users may write to the directory of the state, or to a directory above it.
    #[error("the pins of repositories cannot be in {}: other users may write to it", .0.display())]
    SharedState(PathBuf),
    /// A directory of the state could not be created or read.
    #[error("cannot use the state directory {}", path.display())]
    StateDirectory {
        /// The path of the directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file of the state could not be read or written.
    #[error("cannot use the state file {}", path.display())]
    StateFile {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// An import has pins for repositories that are already pinned to other publishers. The field has one text for each
    /// repository: its name, and the difference between the publishers.
    #[error("{} already pinned to other publishers: {}", repositories(.0.len()), .0.join("; "))]
    OtherPins(Vec<String>),
    /// Content is not in the cache.
    #[error("{0} is not in the cache")]
    NoContent(Digest),
    /// An executable is not in the cache any more.
    #[error("the executable {} is not in the cache any more", .0.display())]
    NoExecutable(PathBuf),
    /// A path does not lead to an executable of this cache.
    #[error("{} is not an executable of the cache", .0.display())]
    NotAnExecutable(PathBuf),
    /// The cache has no record of a tag.
    #[error("{0} is not recorded in the cache")]
    NoReference(String),
    /// A name does not have the form `registry/repository` or `registry/repository:tag`.
    #[error("`{0}` is not the name of a repository or a tag")]
    MalformedName(String),
    /// Content could not be received.
    #[error("cannot receive {digest}")]
    Receive {
        /// The digest of the content.
        digest: Digest,
        /// The error of the source.
        source: io::Error,
    },
    /// Received content is not what its descriptor says.
    #[error("the received content does not verify")]
    NotVerified(#[from] VerifyError),
    /// The runtime ended before work on the cache began.
    #[error(transparent)]
    RuntimeEnded(#[from] RuntimeEnded),
    /// The file with the pin of a repository is damaged.
    #[error("cannot read the pin of {place} from {}: the file is damaged", path.display())]
    DamagedPin {
        /// The repository, as `registry/repository`.
        place: String,
        /// The path of the file.
        path: PathBuf,
    },
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(crate) fn directory(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| match non_directory_at(&path) {
            Some(other) => Self::NotADirectory(other.to_owned()),
            None => Self::Directory { path, source },
        }
    }

    pub(super) fn state_file(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::StateFile { path, source }
    }

    pub(super) fn state_directory(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::StateDirectory { path, source }
    }

    /// Turns an error about the directory of a cache into an error about the directory of the state.
    #[cfg(unix)]
    pub(super) fn of_state(self) -> Self {
        match self {
            Self::ForeignDirectory(path) => Self::ForeignState(path),
            Self::SharedDirectory(path) => Self::SharedState(path),
            Self::Directory { path, source } => Self::StateDirectory { path, source },
            other => other,
        }
    }

    /// Whether the disk is full, or a quota of the user or a limit of the process is reached.
    pub(crate) fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match self {
            Self::File { source, .. }
            | Self::Directory { source, .. }
            | Self::StateFile { source, .. }
            | Self::StateDirectory { source, .. } => {
                matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge)
            }
            _ => false,
        }
    }

    /// Returns the kind of this error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { source, .. }
            | Self::Directory { source, .. }
            | Self::StateFile { source, .. }
            | Self::StateDirectory { source, .. } => ErrorKind::of_io(source),
            Self::Receive { source, .. } if is_stopped(source) => ErrorKind::Other,
            // An error of a storage has its own kind.
            Self::Receive { source, .. } => source
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<StoreError>())
                .map_or(ErrorKind::Unavailable, StoreError::kind),
            Self::NoContent(_)
            | Self::NoReference(_)
            | Self::NoExecutable(_)
            | Self::NotAnExecutable(_) => ErrorKind::NotFound,
            Self::MalformedName(_) | Self::WithinCache(_) | Self::NotADirectory(_) => {
                ErrorKind::Usage
            }
            Self::NotVerified(_) | Self::DamagedPin { .. } => ErrorKind::NotVerified,
            Self::ForeignDirectory(_)
            | Self::SharedDirectory(_)
            | Self::ForeignState(_)
            | Self::SharedState(_) => ErrorKind::Denied,
            Self::OtherPins(_) => ErrorKind::Conflict,
            Self::NoDirectory | Self::NoStateDirectory | Self::RuntimeEnded(_) => ErrorKind::Other,
        }
    }
}

fn repositories(count: usize) -> String {
    match count {
        1 => "a repository is".to_owned(),
        count => format!("{count} repositories are"),
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error)
    }
}
