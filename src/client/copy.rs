//! Copy: copies a manifest, everything that it names, and its attachments to another reference.

use std::borrow::Cow;

use futures_util::future::try_join;
use tokio::sync::watch;

use crate::content::{Descriptor, Digest, ReadStorage, Stored};
use crate::oci::Reference;

use super::about::about;
use super::attachments::{AttachedCopied, AttachedCopy, AttachedReader, Found};
use super::error::Error;
use super::lookup::{Storage, named, push_storage, read_layout, read_storage};
use super::publisher::Publisher;
use super::require::{require_digest, require_name};
use super::tagging::{TagChange, TagIdentity, Tagging};
use super::transfer::{LeftOut, Transfer, Tree, mountable};
use super::{Client, note_digest};

/// The options of a copy.
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
    /// Whether the attachments of the manifest are not copied. Default: `false`.
    pub without_referrers: bool,
}

impl CopyOptions {
    /// Sets whether a tag that names an archive of another issuer or subject may be moved.
    #[must_use]
    pub fn change_identity(mut self, change_identity: bool) -> Self {
        self.change_identity = change_identity;
        self
    }

    /// Sets whether the attachments of the manifest are not copied: referrers, such as signatures and bills of materials, and
    /// the manifests that cosign stores under tags made of its digest.
    #[must_use]
    pub fn without_referrers(mut self, without_referrers: bool) -> Self {
        self.without_referrers = without_referrers;
        self
    }
}

/// The result of a copy.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Copied {
    /// The reference that the manifest was copied to.
    pub reference: Reference,
    /// The digest of the manifest or the index. It is equal at the source and at the destination.
    pub digest: Digest,
    /// The content that the copied manifests name, but that the source does not have: foreign layers, which are at URLs
    /// outside of the registry, and subjects, which need not exist.
    pub left_out: Vec<LeftOut>,
    /// The tag of the reference, if it has one, with the manifest that the tag named before.
    pub tags: Vec<TagChange>,
    /// How many referrers were copied, or existed at the destination already.
    pub referrers: usize,
    /// How many tags of cosign, such as `sha256-….sig`, were copied, or existed at the destination already.
    pub attached_tags: usize,
    /// How many bytes were sent, were mounted, or existed already.
    pub(super) stored: Stored,
}

impl Client {
    /// Copies the manifest or the index of `source` with everything that it names to `destination`. Blobs are sent first,
    /// several at a time, then each manifest after the manifests that it names, then attachments. The tag of `destination` is
    /// moved in the last step. Content that exists at the destination is not sent again, and blobs in the same registry are
    /// mounted.
    ///
    /// Attachments are copied too: the referrers of the manifest, of the manifests of an index and of referrers, and the
    /// manifests that cosign stores under the tags `sha256-….sig`, `.att` and `.sbom`. The destination lists referrers by its
    /// referrers API, or else the client lists them under a tag. Such a list is read once more before the tag of
    /// `destination` moves, and is written again if another client has overwritten it. No attachments are copied within one
    /// repository, which has them already, nor from the cache, which does not hold them.
    ///
    /// The subject of a manifest is copied with it. A subject and a foreign layer that the source does not
    /// have are left out.
    ///
    /// The source may be any kind of artifact. All content is verified against its digest. Signatures are not verified: use
    /// [`inspect`](Self::inspect) for that.
    ///
    /// When `destination` has a digest, the source must have that digest. With
    /// [`PullPolicy::Never`](super::PullPolicy::Never), a source in a registry is read from the cache.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registries or layouts, [`Error::OtherDigest`], [`Error::Unnamed`]; [`Error::TagIdentity`]
    /// when the tag of `destination` names an archive of another issuer or subject;
    /// [`oci::Error::UnsupportedManifest`](crate::oci::Error::UnsupportedManifest) for a manifest that names content in an unknown way;
    /// [`Error::TooMuch`] for more than 10,000 manifests and blobs, for manifests of more than 64 MiB
    /// together, and for manifests nested more than 5 deep; [`Error::TooMuchAttached`] for more than 10,000 attachments;
    /// [`Error::NotAttached`] when an attachment cannot be copied. After an error, the tag is not moved.
    pub async fn copy(&self, source: &Reference, destination: &Reference) -> Result<Copied, Error> {
        self.copy_with(source, destination, CopyOptions::default())
            .await
    }

    /// Copies as [`copy`](Self::copy) does, with options.
    ///
    /// # Errors
    ///
    /// The errors of [`copy`](Self::copy).
    pub async fn copy_with(
        &self,
        source: &Reference,
        destination: &Reference,
        options: CopyOptions,
    ) -> Result<Copied, Error> {
        self.copy_from(self, source, destination, options).await
    }

    /// [Copies](Self::copy_with) from a source that the client `reader` reads, with its credentials and its connections.
    #[tracing::instrument(name = "copy", skip_all, fields(%source, %destination, digest))]
    pub(crate) async fn copy_from(
        &self,
        reader: &Self,
        source: &Reference,
        destination: &Reference,
        options: CopyOptions,
    ) -> Result<Copied, Error> {
        require_name(destination)?;
        let _turn = self.turn().await;
        let reader = &reader.not_reading_from(destination, self).await?;
        let copy = CopySource::read(reader, source, destination).await?;
        let to = push_storage(self, destination).await?;
        let copied = copy.write(self, to.as_ref(), destination, options).await?;
        to.finish().await?;
        Ok(copied)
    }

    /// [Copies](Self::copy_from) into `to`, the open storage of `destination`. The caller finishes the push.
    #[tracing::instrument(name = "copy", skip_all, fields(%source, %destination, digest))]
    pub(super) async fn copy_into(
        &self,
        to: &dyn Storage,
        reader: &Self,
        (source, destination): (&Reference, &Reference),
        options: CopyOptions,
    ) -> Result<Copied, Error> {
        require_name(destination)?;
        let _turn = self.turn().await;
        let reader = &reader.not_reading_from(destination, self).await?;
        let copy = CopySource::read(reader, source, destination).await?;
        copy.write(self, to, destination, options).await
    }
}

/// The source of a copy, with all its manifests.
struct CopySource<'a> {
    source: Cow<'a, Reference>,
    from: Box<dyn ReadStorage>,
    root: Descriptor,
    tree: Tree,
}

impl<'a> CopySource<'a> {
    /// Reads the manifests of `source`.
    async fn read(
        reader: &Client,
        source: &'a Reference,
        destination: &Reference,
    ) -> Result<Self, Error> {
        let source = named(source).await?;
        let name = require_name(&source)?;
        let from: Box<dyn ReadStorage> = match source.as_ref() {
            Reference::Registry(_) => read_storage(reader, &source).await?,
            // The pull policy is about registries, so it does not apply.
            Reference::Layout(place) => read_layout(reader, place).await?,
        };
        let read = from.fetch_manifest(&name).await;
        let (root, bytes) = read.map_err(|error| Error::giving(&source)(error.into()))?;
        note_digest(&root.digest);
        require_digest(&source, destination.digest(), &root.digest)?;
        let tree = Tree::read_from(from.as_ref(), &source, &root, bytes).await?;
        Ok(Self {
            source,
            from,
            root,
            tree,
        })
    }

    /// Writes everything to `to`, the storage of `destination`.
    async fn write(
        self,
        client: &Client,
        to: &dyn Storage,
        destination: &Reference,
        options: CopyOptions,
    ) -> Result<Copied, Error> {
        let (source, from, tree) = (self.source.as_ref(), self.from.as_ref(), self.tree);
        let tagging = Tagging::new(destination, [], false)?.with_own_tag();
        let tags = async {
            let tags = tagging.changes(to, &self.root.digest).await?;
            if !options.change_identity {
                let identity = TagIdentity::new(client, &tagging, to);
                let publisher = async || publisher(client, source, from, &tree).await;
                identity.keep(&tags, &self.root.digest, publisher).await?;
            }
            Ok(tags)
        };
        let about = &about(client, destination);
        let mount_from = mountable(source, destination);
        let transfer = Transfer::new(about, (source, from), to, mount_from);
        let attached = if options.without_referrers || is_same_place(source, destination) {
            None
        } else {
            attached(&transfer, source)
        };
        let find = Attachments::find(attached, &tree);
        // Both only read, so they run at the same time.
        let (tags, attached) = try_join(tags, find).await?;
        let steps = Steps {
            transfer: &transfer,
            tree: &tree,
            tag: destination.tag(),
            is_tagged: tags
                .iter()
                .all(|tag| tag.before.as_ref() == Some(&self.root.digest)),
        };
        let attached = steps.run(attached, destination).await?;
        let stored = transfer.stored();
        let mut left_out = tree.left_out;
        let mut of_attached = attached.left_out;
        // The attachments were copied in any order.
        of_attached.sort_by(|one, other| {
            (&one.digest, &one.media_type).cmp(&(&other.digest, &other.media_type))
        });
        left_out.extend(of_attached);
        Ok(Copied {
            reference: destination.clone(),
            digest: self.root.digest,
            left_out,
            tags,
            referrers: attached.referrers,
            attached_tags: attached.tags,
            stored,
        })
    }
}

/// Returns a copy of the attachments of `source`, or `None` with a warning if the source is the cache.
fn attached<'a>(transfer: &'a Transfer<'a>, source: &'a Reference) -> Option<AttachedCopy<'a>> {
    let Some(reader) = AttachedReader::new(transfer.from) else {
        tracing::warn!("the attachments of {source} are not copied: the cache does not hold them");
        return None;
    };
    Some(AttachedCopy {
        transfer,
        source,
        reader,
    })
}

/// The attachments of the manifests of a tree, before they are copied.
struct Attachments<'a> {
    copy: AttachedCopy<'a>,
    found: Found,
    /// Whether the destination accepts an attachment before its subject.
    may_be_first: bool,
}

impl<'a> Attachments<'a> {
    /// Lists the attachments of the manifests of `tree`, without attachments of attachments. Returns `None` if there are
    /// none.
    async fn find(copy: Option<AttachedCopy<'a>>, tree: &Tree) -> Result<Option<Self>, Error> {
        let Some(copy) = copy else { return Ok(None) };
        let subjects = tree.own_manifests();
        let root = subjects.last().cloned();
        let found = copy.find(subjects);
        let order = async {
            Ok(match &root {
                Some(root) => copy.transfer.to.takes_referrers_first(root).await?,
                None => false,
            })
        };
        let (found, may_be_first) = try_join(found, order).await?;
        Ok((!found.is_empty()).then_some(Self {
            copy,
            found,
            may_be_first,
        }))
    }
}

/// Returns whether both references are in one repository or image layout.
fn is_same_place(source: &Reference, destination: &Reference) -> bool {
    match (source, destination) {
        (Reference::Registry(from), Reference::Registry(to)) => {
            from.registry() == to.registry() && from.repository() == to.repository()
        }
        (Reference::Layout(from), Reference::Layout(to)) => from.whole() == to.whole(),
        _ => false,
    }
}

/// The steps of a copy that change the destination.
struct Steps<'a> {
    transfer: &'a Transfer<'a>,
    tree: &'a Tree,
    tag: Option<&'a str>,
    /// Whether the tag names the manifest already.
    is_tagged: bool,
}

impl Steps<'_> {
    async fn run(
        &self,
        attached: Option<Attachments<'_>>,
        destination: &Reference,
    ) -> Result<AttachedCopied, Error> {
        let (transfer, tree) = (self.transfer, self.tree);
        let tag = self.tag.filter(|_| !self.is_tagged);
        let Some(attached) = attached else {
            // One request stores the manifest and moves the tag.
            transfer.tree(tree, tag).await?;
            return Ok(AttachedCopied::default());
        };
        let Attachments {
            copy,
            found,
            may_be_first,
        } = attached;
        // Some registries require that a subject exists before its referrers. The blobs of both are copied at the same time.
        let (root_stored, subjects) = watch::channel(may_be_first);
        let root = async {
            transfer.blobs(tree).await?;
            transfer.manifests_below(tree).await?;
            if !may_be_first {
                transfer.root(tree, None).await?;
            }
            root_stored.send_replace(true);
            Ok(())
        };
        let ((), copied) = try_join(root, copy.copy(found, subjects)).await?;
        if let Some((digest, source, others)) = copied.failed {
            return Err(Error::NotAttached {
                digest,
                reference: destination.to_string(),
                others,
                source: Box::new(source),
            });
        }
        if may_be_first || tag.is_some() {
            transfer.root(tree, tag).await?;
        }
        Ok(copied)
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
