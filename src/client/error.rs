//! What can go wrong between a reference and a verified file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive;
use crate::cache;
use crate::content::{Digest, ErrorKind, StoreError, VerifyError};
use crate::oci::{self, ParseReferenceError};

use super::lock::LockError;
use super::trust::TrustError;

/// An error of the client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something is wrong with a local archive.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// What a reference stands for is no archive that may be used.
    #[error("cannot use {reference}")]
    Unusable {
        /// The reference.
        reference: String,
        /// What is wrong with the archive.
        source: archive::Error,
    },
    /// Text that is no reference.
    #[error(transparent)]
    Reference(#[from] ParseReferenceError),
    /// A registry or an image layout failed.
    #[error(transparent)]
    Oci(#[from] oci::Error),
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// A transfer between two stores failed; the error is that of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A reference has neither a tag nor a digest.
    #[error("{0} names neither a tag nor a digest")]
    Unnamed(String),
    /// The cache cannot answer, and nobody else may be asked.
    #[error("{0} is not in the cache, and no registry may be asked")]
    NotCached(String),
    /// A reference stands for another digest than the one that was demanded.
    #[error("{reference} is {actual}, not {expected}")]
    OtherDigest {
        /// The reference.
        reference: String,
        /// What was demanded.
        expected: Digest,
        /// What it is.
        actual: Digest,
    },
    /// A manifest carries claims that a publisher has signed, and its archive carries others.
    #[error("the manifest of {0} carries other claims than the archive itself")]
    OtherClaims(String),
    /// An annotation has a name that is ours to write.
    #[error("the annotation `{0}` is written by push itself")]
    ReservedAnnotation(&'static str),
    /// An archive in the cache is not what its manifest says.
    #[error("what the cache holds of {reference} is damaged")]
    Damaged {
        /// The reference.
        reference: String,
        /// What is wrong with it.
        source: VerifyError,
    },
    /// A manifest is too large to be one.
    #[error("the manifest of {reference} has {size} bytes; at most {limit} are read")]
    ManifestTooLarge {
        /// The reference.
        reference: String,
        /// Its size in bytes.
        size: u64,
        /// The bound in bytes.
        limit: u64,
    },
    /// An archive that verifies is not trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// More belongs to a reference than is copied.
    #[error(
        "{reference} is more than {most} contents, or manifests nested more than {deepest} deep"
    )]
    TooMuch {
        /// The reference.
        reference: String,
        /// How many contents there may be.
        most: usize,
        /// How deep manifests may be nested.
        deepest: usize,
    },
    /// The lock file does not allow it, or cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The work was cancelled from outside: the runtime is shutting down.
    #[error("the work was cancelled")]
    Cancelled(#[source] tokio::task::JoinError),
    /// No thread could be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// Another task that fetched the same, and that this one waited for, failed.
    #[error(transparent)]
    Shared(Arc<Error>),
    /// Reading an archive ended without an outcome: who read it, or watched that, panicked.
    #[error("reading the archive was abandoned")]
    Abandoned,
}

impl Error {
    pub(super) fn unusable(reference: &str, source: archive::Error) -> Self {
        Self::Unusable {
            reference: reference.to_owned(),
            source,
        }
    }

    /// The same, when what was written belongs in the cache.
    pub(super) fn in_cache(self) -> Self {
        match self {
            Self::Archive(archive::Error::Write { path, source })
            | Self::Unusable {
                source: archive::Error::Write { path, source },
                ..
            } => cache::Error::File { path, source }.into(),
            other => other,
        }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }

    /// What a caller can decide on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Archive(error) | Self::Unusable { source: error, .. } => error.kind(),
            Self::Oci(error) => error.kind(),
            Self::Cache(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Reference(_) | Self::Unnamed(_) | Self::ReservedAnnotation(_) => ErrorKind::Usage,
            Self::OtherDigest { .. }
            | Self::OtherClaims(_)
            | Self::Damaged { .. }
            | Self::ManifestTooLarge { .. }
            | Self::TooMuch { .. } => ErrorKind::NotVerified,
            Self::Trust(error) => error.kind(),
            Self::Shared(error) => error.kind(),
            Self::NotCached(_) => ErrorKind::NotFound,
            Self::Lock(error) => error.kind(),
            Self::Write { source, .. } => ErrorKind::of_io(source),
            Self::Cancelled(_) | Self::Thread(_) | Self::Abandoned => ErrorKind::Other,
        }
    }
}
