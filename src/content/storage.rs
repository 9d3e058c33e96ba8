//! What a storage can do: one small trait for each capability.
//!
//! A registry's repository, an OCI image layout and the cache implement the traits that fit them. A transfer names the
//! traits that it needs. It uses the optional ones where the storage has them: [`Mount`], [`Listing`], [`Delete`] and
//! [`Referrers`].

use std::fmt;
use std::io;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncRead;

use super::descriptor::Descriptor;
use super::digest::Digest;
use super::referrers::Referrers;
use super::store_error::StoreError;

/// Bytes on their way out of a storage or a [`Source`].
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// The name of a manifest in a repository or an image layout.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ManifestName {
    /// A tag. It can be moved to another manifest.
    Tag(String),
    /// A digest. It always names one manifest.
    Digest(Digest),
}

impl fmt::Display for ManifestName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => formatter.write_str(tag),
            Self::Digest(digest) => digest.fmt(formatter),
        }
    }
}

/// Gives content by its descriptor.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Opens the content, or the bytes `range` of it.
    ///
    /// The bytes are not verified: read them through a `VerifyReader`.
    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError>;
}

/// Finds manifests by name.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// Returns the descriptor of the manifest that `name` names now.
    async fn resolve(&self, name: &ManifestName) -> Result<Descriptor, StoreError>;

    /// Returns the manifest that `name` names now: its descriptor, and its verified bytes.
    async fn fetch_manifest(&self, name: &ManifestName) -> Result<(Descriptor, Bytes), StoreError>;

    /// Returns the storage as [`Referrers`], if it has this capability.
    fn as_referrers(&self) -> Option<&dyn Referrers> {
        None
    }
}

/// A storage that artifacts are read from: a manifest by its name, then content by descriptor.
pub trait ReadStorage: Fetch + Resolve {}

impl<T: Fetch + Resolve> ReadStorage for T {}

/// How the bytes of content came into a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stored {
    /// How many bytes were sent.
    pub sent: u64,
    /// How many bytes the registry mounted from another of its repositories.
    pub mounted: u64,
    /// How many bytes the storage had already.
    pub existing: u64,
}

impl Stored {
    /// Adds the numbers of `other` to these.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent.saturating_add(other.sent),
            mounted: self.mounted.saturating_add(other.mounted),
            existing: self.existing.saturating_add(other.existing),
        }
    }

    /// Makes the numbers for content of `size` bytes that was sent.
    pub(crate) fn sent(size: u64) -> Self {
        Self {
            sent: size,
            ..Self::default()
        }
    }

    /// Makes the numbers for content of `size` bytes that the storage had.
    pub(crate) fn existing(size: u64) -> Self {
        Self {
            existing: size,
            ..Self::default()
        }
    }
}

/// Takes content in.
///
/// The blobs of a manifest go first, and the manifest goes last, together with its tag. After the last manifest,
/// [`finish`](Self::finish) completes the push.
#[async_trait]
pub trait Push: Send + Sync {
    /// Stores a blob, unless the storage has it.
    ///
    /// After an error, nothing is stored under the digest of `descriptor`.
    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<Stored, StoreError>;

    /// Stores a manifest and, with a `tag`, moves the tag to it, in one step. If the storage has the capability
    /// [`Referrers`], it finds a manifest that names a subject from then on.
    async fn put_manifest(
        &self,
        descriptor: &Descriptor,
        bytes: &Bytes,
        tag: Option<&str>,
    ) -> Result<(), StoreError>;

    /// Returns a manifest from the place that receives the push, not from a mirror.
    async fn stored_manifest(&self, name: &ManifestName)
    -> Result<(Descriptor, Bytes), StoreError>;

    /// Returns the manifest that `tag` names now in the place that receives the push, or `None` if the tag does not exist.
    /// `None` may be wrong for a registry that does not answer HEAD properly; [`stored_manifest`](Self::stored_manifest) is
    /// right.
    async fn tagged(&self, tag: &str) -> Result<Option<Descriptor>, StoreError>;

    /// Returns whether a manifest may be stored before `subject`, which it names as its subject. Some registries demand
    /// the subject first.
    async fn takes_referrers_first(&self, _subject: &Digest) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Returns the storage as [`Mount`], if it has this capability.
    fn as_mount(&self) -> Option<&dyn Mount> {
        None
    }

    /// Returns the storage as `Listing`, if it has this capability.
    fn as_listing(&self) -> Option<&dyn Listing> {
        None
    }

    /// Completes the push. Some storages make new content visible only in this last step: without this call, they stay
    /// unchanged. A storage that other clients change too checks that it still has the new content.
    async fn finish(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Changes a list of manifests, in which a manifest may have no name.
#[async_trait]
pub trait Listing: Send + Sync {
    /// Adds a manifest without a name to the list, unless the manifest is listed. The storage must hold the manifest.
    async fn list(&self, manifest: &Descriptor) -> Result<(), StoreError>;

    /// Removes the name `tag`. The manifest that it named stays, and is found by its digest.
    async fn untag(&self, tag: &str) -> Result<(), StoreError>;
}

/// Takes blobs over from other repositories of the same registry.
#[async_trait]
pub trait Mount: Send + Sync {
    /// Stores a blob, unless the storage has it: from the repository `from` of this registry when
    /// the registry allows that, else from `source`.
    async fn mount_blob(
        &self,
        descriptor: &Descriptor,
        from: &str,
        source: &dyn Source,
    ) -> Result<Stored, StoreError>;
}

/// Deletes manifests.
#[async_trait]
pub trait Delete: Send + Sync {
    /// Deletes the manifest with this digest, and all tags that name it. A manifest that is not
    /// in the storage is not an error.
    async fn delete_manifest(&self, digest: &Digest) -> Result<(), StoreError>;
}

/// Content that can be read several times and from any offset, so that an interrupted transfer can
/// go on.
#[async_trait]
pub trait Source: Send + Sync {
    /// Opens the content at `offset` bytes from its start.
    async fn open(&self, offset: u64) -> Result<Reader, StoreError>;
}

/// The content of a descriptor in a storage, as a [`Source`] for another storage.
pub struct Content<'a> {
    storage: &'a dyn Fetch,
    descriptor: &'a Descriptor,
}

impl<'a> Content<'a> {
    /// Names the content of `descriptor` in `storage`. Nothing is opened yet.
    pub fn new(storage: &'a dyn Fetch, descriptor: &'a Descriptor) -> Self {
        Self {
            storage,
            descriptor,
        }
    }
}

#[async_trait]
impl Source for Content<'_> {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let size = self.descriptor.size;
        if offset == 0 {
            return self.storage.open(self.descriptor, None).await;
        }
        if offset >= size {
            // Some registries answer a range that starts at the end with other bytes.
            return Ok(Box::new(tokio::io::empty()));
        }
        self.storage.open(self.descriptor, Some(offset..size)).await
    }
}

#[async_trait]
impl Source for Bytes {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let start = usize::try_from(offset).map_or(self.len(), |offset| offset.min(self.len()));
        Ok(Box::new(io::Cursor::new(self.slice(start..))))
    }
}
