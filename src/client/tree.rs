//! Copying a manifest and everything that it names, from reference to reference.

use std::collections::HashSet;
use std::sync::Arc;

use crate::content::{Descriptor, Digest, Progress, Step, Store};
use crate::oci::{Reference, children, media_type, read_manifest};

use super::copy::{Content, copy};
use super::error::Error;
use super::{Access, Client, note_digest};

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
        let from = self.store(source, Access::Read).await?;
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
        let to = self.store(destination, Access::Write).await?;
        let mut tree = Tree {
            source,
            from: from.as_ref(),
            to: to.as_ref(),
            progress: &self.progress,
            done: HashSet::new(),
        };
        tree.manifest(&root, 1).await?;
        if let Some(tag) = destination.tag() {
            to.tag(&root, tag).await?;
        }
        Ok(Copied {
            reference: destination.clone(),
            digest: root.digest,
        })
    }
}

/// A manifest and what it names, on its way.
struct Tree<'a> {
    source: &'a Reference,
    from: &'a dyn Store,
    to: &'a dyn Store,
    progress: &'a Arc<dyn Progress>,
    /// What has been copied: content is named more than once.
    done: HashSet<Digest>,
}

impl Tree<'_> {
    /// Copies a manifest, after everything that it names.
    async fn manifest(&mut self, manifest: &Descriptor, depth: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(self.too_much());
        }
        let source = self.content(manifest);
        let bytes = read_manifest(manifest, &source).await?;
        for child in children(manifest, &bytes)? {
            if self.done.contains(&child.digest) {
                continue;
            }
            if self.done.len() >= MOST {
                return Err(self.too_much());
            }
            if media_type::is_manifest(&child.media_type) {
                Box::pin(self.manifest(&child, depth + 1)).await?;
            } else {
                let source = self.content(&child);
                copy(
                    &source,
                    self.to,
                    &child,
                    Step::Copying,
                    self.progress.as_ref(),
                )
                .await?;
            }
            self.done.insert(child.digest);
        }
        Ok(self.to.put(manifest, &bytes).await?)
    }

    fn content<'c>(&'c self, descriptor: &'c Descriptor) -> Content<'c> {
        Content {
            store: self.from,
            descriptor,
        }
    }

    fn too_much(&self) -> Error {
        Error::TooMuch {
            reference: self.source.to_string(),
            most: MOST,
            deepest: DEEPEST,
        }
    }
}
