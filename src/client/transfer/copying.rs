//! Copying blobs and manifests from one storage to another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use crate::content::{Content, Descriptor, Digest, Push, ReadStorage, Step, Stored};
use crate::oci::{self, Reference, media_type};

use super::super::Client;
use super::super::error::Error;
use super::metered::MeteredSource;
use super::mount::put_blob;
use super::tree::{Blob, Tree};

/// How many blobs of one tree are copied at a time.
const AT_A_TIME: usize = 4;

/// A copy from one storage to another.
pub(in crate::client) struct Transfer<'a> {
    pub(in crate::client) client: &'a Client,
    /// The reference that is copied.
    source: &'a Reference,
    pub(in crate::client) from: &'a dyn ReadStorage,
    pub(in crate::client) to: &'a dyn Push,
    /// The repository that the registry of the destination can mount blobs from.
    pub(in crate::client) mount_from: Option<&'a str>,
    /// The blobs that are copied. A cell is set when its blob is at the destination.
    blobs: Mutex<HashMap<Digest, Arc<OnceCell<()>>>>,
    /// How many bytes of blobs were sent, mounted, or there already.
    stored: Mutex<Stored>,
}

impl<'a> Transfer<'a> {
    /// Prepares to copy from `from`, the storage of `source`, to `to`.
    pub(in crate::client) fn new(
        client: &'a Client,
        (source, from): (&'a Reference, &'a dyn ReadStorage),
        to: &'a dyn Push,
        mount_from: Option<&'a str>,
    ) -> Self {
        Self {
            client,
            source,
            from,
            to,
            mount_from,
            blobs: Mutex::default(),
            stored: Mutex::default(),
        }
    }

    /// Copies all blobs of `tree`, several at a time.
    pub(in crate::client) async fn blobs(&self, tree: &Tree) -> Result<(), Error> {
        let copies: Vec<_> = tree.blobs.iter().map(|blob| self.blob(blob)).collect();
        let copies = stream::iter(copies).buffer_unordered(AT_A_TIME);
        copies.try_collect().await
    }

    /// Copies a blob once. Waits if another task is copying it, which is common: all signatures have the same empty
    /// config.
    async fn blob(&self, blob: &Blob) -> Result<(), Error> {
        let cell = {
            let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(blobs.entry(blob.descriptor.digest.clone()).or_default())
        };
        let copied = cell.get_or_try_init(|| self.copy_blob(blob));
        copied.await.copied()
    }

    async fn copy_blob(&self, blob: &Blob) -> Result<(), Error> {
        let Blob { descriptor, data } = blob;
        let stored = if let Some(data) = data {
            put_blob(self.to, descriptor, None, data).await?
        } else {
            let source = Content::new(self.from, descriptor);
            let progress = self.client.progress.as_ref();
            let source = MeteredSource::new(&source, descriptor, Step::Copying, progress);
            let stored = put_blob(self.to, descriptor, self.mount_from, &source).await;
            stored.map_err(Error::giving(self.source))?
        };
        let mut sum = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        *sum = sum.and(stored);
        Ok(())
    }

    /// Returns how many bytes of blobs were sent, mounted, or at the destination already.
    pub(in crate::client) fn stored(&self) -> Stored {
        *self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies everything of `tree`, and moves `tag` to its root.
    pub(in crate::client) async fn tree(
        &self,
        tree: &Tree,
        tag: Option<&str>,
    ) -> Result<(), Error> {
        self.blobs(tree).await?;
        self.manifests(tree, tag).await
    }

    /// Copies the manifests of `tree`, whose blobs are at the destination, and moves `tag` to its root.
    pub(in crate::client) async fn manifests(
        &self,
        tree: &Tree,
        tag: Option<&str>,
    ) -> Result<(), Error> {
        self.manifests_below(tree).await?;
        self.root(tree, tag).await
    }

    /// Copies the manifests of `tree` below its root.
    pub(in crate::client) async fn manifests_below(&self, tree: &Tree) -> Result<(), Error> {
        if let Some((_, below)) = tree.manifests.split_last() {
            for (manifest, bytes) in below {
                self.manifest(manifest, bytes).await?;
            }
        }
        Ok(())
    }

    /// Copies the root of `tree`, and moves `tag` to it.
    pub(in crate::client) async fn root(
        &self,
        tree: &Tree,
        tag: Option<&str>,
    ) -> Result<(), Error> {
        match tree.manifests.last() {
            Some((root, bytes)) => Ok(self.to.put_manifest(root, bytes, tag).await?),
            None => Ok(()),
        }
    }

    /// Copies a manifest. If the registry refuses an artifact manifest because it does not know the type, stores it as
    /// a blob, so that the registry accepts the index that lists it.
    async fn manifest(&self, manifest: &Descriptor, bytes: &Bytes) -> Result<(), Error> {
        let error = match self.to.put_manifest(manifest, bytes, None).await {
            Err(error) if media_type::is_artifact_manifest(&manifest.media_type) => error,
            stored => return Ok(stored?),
        };
        match error.downcast_ref() {
            Some(oci::Error::Refused { answer, .. }) if (400..500).contains(&answer.status) => {
                tracing::info!("{error}; storing the manifest as a blob instead");
                let blob = Descriptor {
                    media_type: "application/octet-stream".to_owned(),
                    ..manifest.clone()
                };
                put_blob(self.to, &blob, None, bytes).await.map(drop)
            }
            _ => Err(error.into()),
        }
    }
}
