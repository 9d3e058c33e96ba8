//! Copying a manifest and everything that it names, from reference to reference.

use std::collections::HashSet;
use std::sync::Arc;

use crate::content::{Content, Descriptor, Digest, Progress, Push, ReadStorage};
use crate::oci::{Reference, children, media_type, read_manifest};

use super::error::Error;
use super::metered::MeteredSource;
use super::mount::put_blob;
use super::storage::open_layout;
use super::{Client, note_digest};

/// How deep manifests may be nested: an index of indexes of manifests is deeper than any that is known.
const DEEPEST: usize = 5;
/// How many contents belong to a reference at most.
const MOST: usize = 10_000;

/// What was copied.
#[derive(Debug, Clone)]
pub struct Copied {
    /// What it was copied to.
    pub reference: Reference,
    /// The digest of the manifest, or of the index: the same on both sides.
    pub digest: Digest,
}

impl Client {
    /// Copies what `source` stands for to `destination`: the manifest with its config and layers, or the
    /// index with all its manifests and theirs. Children go before what names them, and the tag of
    /// `destination` comes last. What is there already is not sent again, and what is in the same
    /// registry is taken over there.
    ///
    /// It need not be a provider archive. Every byte is checked against its digest, but no signature:
    /// [`inspect`](Self::inspect) does that.
    ///
    /// A digest in `destination` is one that the copy must have.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registries or layouts, [`Error::OtherDigest`], [`Error::Unnamed`];
    /// [`Error::TooMuch`] for more than 10,000 contents, or manifests nested more than 5 deep. The tag
    /// stands for what it stood for before then.
    #[tracing::instrument(skip_all, fields(%source, %destination, digest))]
    pub async fn copy(&self, source: &Reference, destination: &Reference) -> Result<Copied, Error> {
        let unnamed = |reference: &Reference| Error::Unnamed(reference.to_string());
        let name = source.name().ok_or_else(|| unnamed(source))?;
        destination.name().ok_or_else(|| unnamed(destination))?;
        let from: Box<dyn ReadStorage> = match source {
            Reference::Registry(_) => self.read_storage(source).await?,
            // No registry is asked, so the pull policy does not count.
            Reference::Layout(place) => Box::new(open_layout(place).await?),
        };
        let root = from.resolve(&name).await?;
        note_digest(&root.digest);
        if let Some(expected) = destination.digest()
            && *expected != root.digest
        {
            return Err(Error::OtherDigest {
                reference: source.to_string(),
                expected: expected.clone(),
                actual: root.digest,
            });
        }
        let to = self.push_storage(destination).await?;
        let mut tree = Tree {
            source,
            from: from.as_ref(),
            to: to.as_ref(),
            mount_from: neighbour(source, destination),
            progress: &self.progress,
            done: HashSet::new(),
        };
        tree.manifest(&root, 1, destination.tag()).await?;
        Ok(Copied {
            reference: destination.clone(),
            digest: root.digest,
        })
    }
}

/// Returns the repository of `source` when it is another one of the same registry.
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

/// A manifest and what it names, on its way.
struct Tree<'a> {
    source: &'a Reference,
    from: &'a dyn ReadStorage,
    to: &'a dyn Push,
    /// The repository that the registry of the destination can mount blobs from.
    mount_from: Option<&'a str>,
    progress: &'a Arc<dyn Progress>,
    /// What has been copied: content is named more than once.
    done: HashSet<Digest>,
}

impl Tree<'_> {
    /// Copies a manifest, after everything that it names.
    async fn manifest(
        &mut self,
        manifest: &Descriptor,
        depth: usize,
        tag: Option<&str>,
    ) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(self.too_much());
        }
        let bytes = read_manifest(manifest, &Content::new(self.from, manifest)).await?;
        for child in children(manifest, &bytes)? {
            if self.done.contains(&child.digest) {
                continue;
            }
            if self.done.len() >= MOST {
                return Err(self.too_much());
            }
            if media_type::is_manifest(&child.media_type) {
                Box::pin(self.manifest(&child, depth + 1, None)).await?;
            } else {
                let source = Content::new(self.from, &child);
                let progress = self.progress.as_ref();
                let source = MeteredSource::new(&source, &child, "copying", progress);
                put_blob(self.to, &child, self.mount_from, &source).await?;
            }
            self.done.insert(child.digest);
        }
        Ok(self.to.put_manifest(manifest, &bytes, tag).await?)
    }

    fn too_much(&self) -> Error {
        Error::TooMuch {
            reference: self.source.to_string(),
            most: MOST,
            deepest: DEEPEST,
        }
    }
}
