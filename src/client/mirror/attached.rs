//! Comparing the attachments of a source with those of a mirror: referrers, and the tags of cosign that contain a digest.

use std::collections::{HashSet, VecDeque};

use crate::content::{Digest, ReadStorage, Stored};
use crate::oci::Reference;

use super::super::attachments::{
    AttachedBounds, AttachedManifest, AttachedReader, FetchedAttached,
};
use super::super::error::Error;
use super::super::transfer::Tree;
use super::place::MirrorPlace;

/// Compares the attachments of manifests in a source and in a mirror.
pub(super) struct AttachedComparison<'a> {
    pub(super) from: &'a dyn ReadStorage,
    pub(super) source: &'a Reference,
    pub(super) place: &'a MirrorPlace,
}

impl AttachedComparison<'_> {
    /// Counts the bytes of all attachments of `subjects`, and of attachments of attachments. A manifest counts as missing if
    /// the mirror does not list it.
    pub(super) async fn count(&self, subjects: Vec<Digest>) -> Result<Stored, Error> {
        let mut sum = Stored::default();
        // The source is the cache, which holds no attachments.
        let Some(reader) = AttachedReader::new(self.from) else {
            return Ok(sum);
        };
        let mirror = self.place.storage().and_then(AttachedReader::new);
        let mut bounds = AttachedBounds::new(self.source);
        let mut listed = HashSet::new();
        // Each manifest with the level of its attachments.
        let mut waiting: VecDeque<_> = subjects.into_iter().map(|subject| (subject, 1)).collect();
        while let Some((subject, level)) = waiting.pop_front() {
            if !listed.insert(subject.clone()) {
                continue;
            }
            let attached = reader.of(&subject).await?;
            if attached.is_empty() {
                continue;
            }
            let known = match &mirror {
                Some(mirror) => mirror.of(&subject).await?,
                None => Vec::new(),
            };
            let known: HashSet<_> = known.iter().map(key).collect();
            for attached in attached {
                if !bounds.note(&attached, &subject, level)? {
                    continue;
                }
                let Some(tree) = self.tree(&reader, &attached, &subject).await? else {
                    continue;
                };
                let mut stored = self.place.count(&tree).await?;
                if !known.contains(&key(&attached)) && stored.sent == 0 {
                    // The mirror has the manifest, but does not list it. Listing it takes another push of the manifest.
                    let size = attached.descriptor().size;
                    stored.existing = stored.existing.saturating_sub(size);
                    stored.sent = size;
                }
                sum = sum.and(stored);
                let below = tree.own_manifests().into_iter();
                waiting.extend(below.map(|manifest| (manifest, level + 1)));
            }
        }
        Ok(sum)
    }

    /// Reads an attachment. Returns `None` if the source does not have it, or if its manifest names another subject.
    async fn tree(
        &self,
        reader: &AttachedReader<'_>,
        attached: &AttachedManifest,
        subject: &Digest,
    ) -> Result<Option<Tree>, Error> {
        let FetchedAttached::Found(manifest, bytes) = reader.fetch(attached, subject).await? else {
            return Ok(None);
        };
        let tree = Tree::read_attached(self.from, self.source, &manifest, bytes, subject);
        tree.await.map(Some)
    }
}

/// Returns a key that identifies an attachment among those of one manifest: its tag, if it has one, and its digest.
fn key(attached: &AttachedManifest) -> (Option<String>, Digest) {
    match attached {
        AttachedManifest::Referrer(manifest) => (None, manifest.digest.clone()),
        AttachedManifest::Tagged(tag, manifest) => (Some(tag.clone()), manifest.digest.clone()),
    }
}
