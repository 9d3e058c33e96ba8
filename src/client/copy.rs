//! Copy: a manifest and everything that it names, from reference to reference.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{Content, Descriptor, Digest, Push, ReadStorage, Step};
use crate::oci::{Reference, children, media_type, read_manifest};

use super::error::{Error, require_digest, require_name};
use super::lookup::{named, open_layout, push_storage, read_storage};
use super::metered::MeteredSource;
use super::mount::put_blob;
use super::{Client, note_digest};

/// How deep manifests may be nested. An index of indexes of manifests is deeper than any known one.
const DEEPEST: usize = 5;
/// How many manifests and blobs may belong to a reference.
const MOST: usize = 10_000;
/// How many bytes all manifests together may have. They are held in memory.
const MOST_MANIFEST_BYTES: u64 = 64 << 20;
/// How many blobs are copied at a time.
const AT_A_TIME: usize = 4;

/// What was copied.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Copied {
    /// The reference that it was copied to.
    pub reference: Reference,
    /// The digest of the manifest or the index. It is the digest of the source too.
    pub digest: Digest,
}

impl Client {
    /// Copies the manifest or the index of `source` with everything that it names to `destination`.
    /// Blobs go first, several at a time, then each manifest after those that it names. The tag of
    /// `destination` is moved in the last step. Content that is there already is not sent again, and
    /// blobs of the same registry are mounted.
    ///
    /// The source need not be a provider archive. Each byte is checked against its digest. Signatures
    /// are not: [`inspect`](Self::inspect) does that.
    ///
    /// When `destination` has a digest, the source must have that digest. With
    /// [`PullPolicy::Never`](super::PullPolicy::Never), a source in a registry is read from the cache.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registries or layouts, [`Error::OtherDigest`], [`Error::Unnamed`];
    /// [`Error::TooMuch`] for more than 10,000 manifests and blobs, for manifests of more than 64 MiB
    /// together, and for manifests nested more than 5 deep. The tag is not moved then.
    #[tracing::instrument(skip_all, fields(%source, %destination, digest))]
    pub async fn copy(&self, source: &Reference, destination: &Reference) -> Result<Copied, Error> {
        require_name(destination)?;
        let source = named(source).await?;
        let source = source.as_ref();
        let name = require_name(source)?;
        let _turn = self.turn().await;

        let from: Box<dyn ReadStorage> = match source {
            Reference::Registry(_) => read_storage(self, source).await?,
            // No registry is asked, so the pull policy does not count.
            Reference::Layout(place) => Box::new(open_layout(place).await?),
        };
        let root = from.resolve(&name).await?;
        note_digest(&root.digest);
        require_digest(source, destination.digest(), &root.digest)?;
        let tree = Tree::read(from.as_ref(), source, &root).await?;

        let to = push_storage(self, destination).await?;
        let transfer = Transfer {
            client: self,
            from: from.as_ref(),
            to: to.as_ref(),
            mount_from: neighbour(source, destination),
        };
        transfer.blobs(&tree).await?;
        transfer.manifests(&tree, destination.tag()).await?;
        Ok(Copied {
            reference: destination.clone(),
            digest: root.digest,
        })
    }
}

/// Returns the repository of `source` when `destination` is in the same registry.
fn neighbour<'a>(source: &'a Reference, destination: &Reference) -> Option<&'a str> {
    match (source, destination) {
        (Reference::Registry(from), Reference::Registry(to))
            if from.registry() == to.registry() =>
        {
            Some(from.repository())
        }
        _ => None,
    }
}

/// A manifest and everything that it names, directly or through other manifests.
#[derive(Default)]
struct Tree {
    blobs: Vec<Descriptor>,
    /// The manifests, each one after those that it names. The last one is the root.
    manifests: Vec<(Descriptor, Bytes)>,
    /// What is in the tree already: content is named more than once.
    seen: HashSet<Digest>,
    manifest_bytes: u64,
}

impl Tree {
    /// Reads the manifests from `root` downwards.
    async fn read(
        from: &dyn ReadStorage,
        source: &Reference,
        root: &Descriptor,
    ) -> Result<Self, Error> {
        let mut tree = Self::default();
        if tree.add(from, root, 1).await? {
            Ok(tree)
        } else {
            Err(Error::TooMuch {
                reference: source.to_string(),
                most: MOST,
                mebibytes: MOST_MANIFEST_BYTES >> 20,
                deepest: DEEPEST,
            })
        }
    }

    /// Adds a manifest after everything that it names. Returns `false` when the tree becomes too large.
    async fn add(
        &mut self,
        from: &dyn ReadStorage,
        manifest: &Descriptor,
        depth: usize,
    ) -> Result<bool, Error> {
        self.manifest_bytes = self.manifest_bytes.saturating_add(manifest.size);
        if depth > DEEPEST || self.manifest_bytes > MOST_MANIFEST_BYTES {
            return Ok(false);
        }
        let bytes = read_manifest(manifest, &Content::new(from, manifest)).await?;
        for child in children(manifest, &bytes)? {
            if !self.seen.insert(child.digest.clone()) {
                continue;
            }
            if self.seen.len() > MOST {
                return Ok(false);
            }
            if !media_type::is_manifest(&child.media_type) {
                self.blobs.push(child);
            } else if !Box::pin(self.add(from, &child, depth + 1)).await? {
                return Ok(false);
            }
        }
        self.manifests.push((manifest.clone(), bytes));
        Ok(true)
    }
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
    /// Copies all blobs, several at a time.
    async fn blobs(&self, tree: &Tree) -> Result<(), Error> {
        let copies: Vec<_> = tree.blobs.iter().map(|blob| self.blob(blob)).collect();
        let copies = stream::iter(copies).buffer_unordered(AT_A_TIME);
        copies.try_collect().await
    }

    async fn blob(&self, blob: &Descriptor) -> Result<(), Error> {
        let source = Content::new(self.from, blob);
        let progress = self.client.progress.as_ref();
        let source = MeteredSource::new(&source, blob, Step::Copying, progress);
        put_blob(self.to, blob, self.mount_from, &source).await
    }

    /// Copies all manifests, and moves `tag` to the last one.
    async fn manifests(&self, tree: &Tree, tag: Option<&str>) -> Result<(), Error> {
        let Some(((root, bytes), below)) = tree.manifests.split_last() else {
            return Ok(());
        };
        for (manifest, bytes) in below {
            self.to.put_manifest(manifest, bytes, None).await?;
        }
        Ok(self.to.put_manifest(root, bytes, tag).await?)
    }
}
