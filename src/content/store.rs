//! The one interface of everything that keeps content.

use std::error::Error;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncSeekExt};

use super::descriptor::Descriptor;
use super::kind::ErrorKind;

/// Bytes on their way out of a [`Store`] or a [`Source`].
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// Keeps content by [`Descriptor`] and gives names to manifests.
///
/// A registry's repository, an OCI image layout and the cache are stores. A transfer is a copy
/// between two of them: children first, then the manifest, the tag last.
#[async_trait]
pub trait Store: Send + Sync {
    /// Whether the content is there.
    async fn exists(&self, descriptor: &Descriptor) -> Result<bool, StoreError>;

    /// Opens the content, or the byte range `range` of it. What it gives is not verified: read it
    /// through a [`VerifyReader`](super::VerifyReader).
    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError>;

    /// Takes content in. Afterwards it is there, complete, with the digest and the size of
    /// `descriptor`, or nothing is there.
    async fn put(&self, descriptor: &Descriptor, source: &dyn Source) -> Result<(), StoreError>;

    /// The manifest that `name` stands for: a tag or a digest in the store's own terms.
    async fn resolve(&self, name: &str) -> Result<Descriptor, StoreError>;

    /// The same, with the bytes of the manifest where they come at the price of the answer. They are
    /// verified.
    async fn resolve_and_open(
        &self,
        name: &str,
    ) -> Result<(Descriptor, Option<Bytes>), StoreError> {
        Ok((self.resolve(name).await?, None))
    }

    /// Lets `name` stand for a manifest that the store holds. Afterwards it does: the store has looked.
    async fn tag(&self, descriptor: &Descriptor, name: &str) -> Result<(), StoreError>;

    /// Where this store is, for stores that can take content over from each other:
    /// `registry/repository`. `None` for all others.
    fn place(&self) -> Option<String> {
        None
    }
}

/// Content that can be read again from any offset, so that an interrupted transfer can go on.
#[async_trait]
pub trait Source: Send + Sync {
    /// Opens the content at `offset` bytes from its start.
    async fn open(&self, offset: u64) -> Result<Reader, StoreError>;

    /// The [`Store::place`] of the store that the content comes from, when it has one: a store beside it
    /// may have a shorter way to it.
    fn place(&self) -> Option<String> {
        None
    }
}

#[async_trait]
impl Source for Bytes {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let start = usize::try_from(offset).map_or(self.len(), |offset| offset.min(self.len()));
        Ok(Box::new(io::Cursor::new(self.slice(start..))))
    }
}

#[async_trait]
impl Source for PathBuf {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let opened = async {
            let mut file = tokio::fs::File::open(self).await?;
            if offset > 0 {
                file.seek(io::SeekFrom::Start(offset)).await?;
            }
            // Few large reads: each one is a trip to the blocking pool.
            file.set_max_buf_size(256 * 1024);
            Ok::<_, io::Error>(file)
        };
        match opened.await {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(StoreError::file(self, error)),
        }
    }
}

/// What went wrong in a [`Store`]: the store's own error, and what its kind is.
pub struct StoreError {
    kind: ErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// Wraps a store's own error.
    pub fn new(kind: ErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: source.into(),
        }
    }

    /// A local file could not be read or written.
    #[must_use]
    pub fn file(path: &std::path::Path, error: io::Error) -> Self {
        Self::new(
            ErrorKind::of_io(&error),
            FileError {
                path: path.to_owned(),
                source: error,
            },
        )
    }

    /// What a caller can decide on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The store's own error, when it is of type `E`.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.source.downcast_ref()
    }
}

// Transparent: the store's error speaks for itself, and its sources follow it.
impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, formatter)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, formatter)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
struct FileError {
    path: PathBuf,
    source: io::Error,
}
