//! Copy: a manifest and everything that it names, from reference to reference.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{Content, Descriptor, Digest, Push, ReadStorage, Step, Stored};
use crate::oci::{self, Reference, media_type};

use super::about::about;
use super::error::{Error, require_digest, require_name};
use super::lookup::{named, open_layout, push_storage, read_storage};
use super::metered::MeteredSource;
use super::mount::{mountable, put_blob};
use super::publisher::Publisher;
use super::tagging::{TagChange, TagIdentity, Tagging};
use super::tree::{Blob, LeftOut, Tree};
use super::{Client, note_digest};

/// How many blobs are copied at a time.
const AT_A_TIME: usize = 4;

/// What a copy may change.
///
/// ```
/// use wasmcloud_par::client::CopyOptions;
///
/// let options = CopyOptions::default().change_identity(true);
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct CopyOptions {
    /// Whether a tag that names an archive of another issuer or subject may be moved. Default: `false`.
    pub change_identity: bool,
}

impl CopyOptions {
    /// Sets whether a tag that names an archive of another issuer or subject may be moved.
    #[must_use]
    pub fn change_identity(mut self, change_identity: bool) -> Self {
        self.change_identity = change_identity;
        self
    }
}

/// What was copied.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Copied {
    /// The reference that it was copied to.
    pub reference: Reference,
    /// The digest of the manifest or the index. It is the digest of the source too.
    pub digest: Digest,
    /// What the copied manifests name, and the source does not have: foreign layers, which are at URLs
    /// outside of the registry, and subjects, which need not exist.
    pub left_out: Vec<LeftOut>,
    /// The tag of the reference, if it has one, and what it named before.
    pub tags: Vec<TagChange>,
    /// How the blobs came to the destination.
    pub(super) stored: Stored,
}

impl Client {
    /// Copies the manifest or the index of `source` with everything that it names to `destination`.
    /// Blobs go first, several at a time, then each manifest after those that it names. The tag of
    /// `destination` is moved in the last step. Content that is there already is not sent again, and
    /// blobs of the same registry are mounted.
    ///
    /// The subject of a manifest is copied with it. A subject and a foreign layer that the source does not
    /// have are left out.
    ///
    /// The source need not be a provider archive. Each byte is checked against its digest. Signatures
    /// are not: [`inspect`](Self::inspect) does that.
    ///
    /// When `destination` has a digest, the source must have that digest. With
    /// [`PullPolicy::Never`](super::PullPolicy::Never), a source in a registry is read from the cache.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registries or layouts, [`Error::OtherDigest`], [`Error::Unnamed`]; [`Error::TagIdentity`]
    /// when the tag of `destination` names an archive of another issuer or subject;
    /// [`oci::Error::UnsupportedManifest`] for a manifest that names content in an unknown way;
    /// [`Error::TooMuch`] for more than 10,000 manifests and blobs, for manifests of more than 64 MiB
    /// together, and for manifests nested more than 5 deep. The tag is not moved then.
    pub async fn copy(&self, source: &Reference, destination: &Reference) -> Result<Copied, Error> {
        self.copy_with(source, destination, CopyOptions::default())
            .await
    }

    /// Copies as [`copy`](Self::copy) does, with options.
    ///
    /// # Errors
    ///
    /// Those of [`copy`](Self::copy).
    pub async fn copy_with(
        &self,
        source: &Reference,
        destination: &Reference,
        options: CopyOptions,
    ) -> Result<Copied, Error> {
        self.copy_from(self, source, destination, options).await
    }

    /// [Copies](Self::copy_with), and reads the source as `reader` does: with its credentials and its connections.
    #[tracing::instrument(name = "copy", skip_all, fields(%source, %destination, digest))]
    pub(crate) async fn copy_from(
        &self,
        reader: &Self,
        source: &Reference,
        destination: &Reference,
        options: CopyOptions,
    ) -> Result<Copied, Error> {
        require_name(destination)?;
        let source = named(source).await?;
        let source = source.as_ref();
        let name = require_name(source)?;
        let _turn = self.turn().await;

        let from: Box<dyn ReadStorage> = match source {
            Reference::Registry(_) => read_storage(reader, source).await?,
            // No registry is asked, so the pull policy does not count.
            Reference::Layout(place) => Box::new(open_layout(place).await?),
        };
        let root = from.resolve(&name).await?;
        note_digest(&root.digest);
        require_digest(source, destination.digest(), &root.digest)?;
        let tree = Tree::read(from.as_ref(), source, &root).await?;

        let to = push_storage(self, destination).await?;
        let tagging = Tagging::new(destination, [], false)?.with_own_tag();
        let tags = tagging.changes(to.as_ref(), &root.digest).await?;
        if !options.change_identity {
            let identity = TagIdentity::new(self, &tagging, to.as_ref());
            let publisher = async || publisher(self, source, from.as_ref(), &tree).await;
            identity.keep(&tags, &root.digest, publisher).await?;
        }
        let transfer = Transfer {
            client: &about(self, destination),
            from: from.as_ref(),
            to: to.as_ref(),
            mount_from: mountable(source, destination),
        };
        let stored = transfer.blobs(&tree).await?;
        transfer.manifests(&tree, destination.tag()).await?;
        Ok(Copied {
            reference: destination.clone(),
            digest: root.digest,
            left_out: tree.left_out,
            tags,
            stored,
        })
    }
}

/// Returns the publisher of the manifest that is copied, which is the last one of `tree`.
async fn publisher(
    client: &Client,
    source: &Reference,
    from: &dyn ReadStorage,
    tree: &Tree,
) -> Result<Publisher, Error> {
    let Some((root, bytes)) = tree.manifests.last() else {
        return Ok(Publisher::NotAnArchive);
    };
    Publisher::of(client, source, from, root.clone(), bytes.clone()).await
}

/// The two sides of a copy.
struct Transfer<'a> {
    client: &'a Client,
    from: &'a dyn ReadStorage,
    to: &'a dyn Push,
    /// The repository that the registry of the destination can mount blobs from.
    mount_from: Option<&'a str>,
}

impl Transfer<'_> {
    /// Copies all blobs, several at a time. Returns how their bytes came there.
    async fn blobs(&self, tree: &Tree) -> Result<Stored, Error> {
        let copies: Vec<_> = tree.blobs.iter().map(|blob| self.blob(blob)).collect();
        let copies = stream::iter(copies).buffer_unordered(AT_A_TIME);
        let sum = async |sum: Stored, stored: Stored| Ok(sum.and(stored));
        copies.try_fold(Stored::default(), sum).await
    }

    async fn blob(&self, blob: &Blob) -> Result<Stored, Error> {
        let Blob { descriptor, data } = blob;
        if let Some(data) = data {
            return put_blob(self.to, descriptor, None, data).await;
        }
        let source = Content::new(self.from, descriptor);
        let progress = self.client.progress.as_ref();
        let source = MeteredSource::new(&source, descriptor, Step::Copying, progress);
        put_blob(self.to, descriptor, self.mount_from, &source).await
    }

    /// Copies all manifests, and moves `tag` to the last one.
    async fn manifests(&self, tree: &Tree, tag: Option<&str>) -> Result<(), Error> {
        let Some(((root, bytes), below)) = tree.manifests.split_last() else {
            return Ok(());
        };
        for (manifest, bytes) in below {
            self.manifest(manifest, bytes).await?;
        }
        Ok(self.to.put_manifest(root, bytes, tag).await?)
    }

    /// Copies a manifest. A registry that does not know artifact manifests gets one as a blob, and then
    /// accepts the index that lists it.
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
