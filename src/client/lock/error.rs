//! What a lock file does not allow, and what is wrong with one.

use std::io;
use std::path::{Path, PathBuf};

use crate::content::ErrorKind;

/// A refusal of the lock file, or what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the messages say what each variant and its fields are"
)]
pub enum LockError {
    #[error("{reference} is not in the lock file")]
    NotLocked { reference: String },
    #[error("{reference} has the {role} {actual}, and is locked with {locked}")]
    OtherPublisher {
        reference: String,
        /// `issuer` or `subject`.
        role: &'static str,
        locked: String,
        actual: String,
    },
    #[error("{reference} has {}, and is locked with revision {locked}", written(*actual))]
    OtherRevision {
        reference: String,
        locked: i32,
        actual: Option<i32>,
    },
    #[error("cannot read the lock file {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the lock file {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the lock file {}, line {line}: {reason}", path.display())]
    Malformed {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        reason: String,
    },
}

fn written(revision: Option<i32>) -> String {
    revision.map_or_else(
        || "no revision".to_owned(),
        |revision| format!("revision {revision}"),
    )
}

impl LockError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }

    /// What a caller can decide on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotLocked { .. } | Self::OtherPublisher { .. } | Self::OtherRevision { .. } => {
                ErrorKind::NotVerified
            }
            Self::Read { source, .. } | Self::Write { source, .. } => ErrorKind::of_io(source),
            Self::Malformed { .. } => ErrorKind::Usage,
        }
    }
}
