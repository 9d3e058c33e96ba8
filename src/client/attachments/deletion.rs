//! Finding what is deleted together with a manifest: its attachments, and the lists of referrers under tags.

use std::collections::{BTreeSet, HashSet};
use std::mem;

use crate::content::{Digest, ReadStorage};
use crate::oci::{Reference, attached_tags, referrers_tag};

use super::super::error::Error;
use super::bounds::AttachedBounds;
use super::reader::{AttachedManifest, AttachedReader, FetchedAttached};

/// A referrer that is not deleted with its subject, because it has tags of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaggedReferrer {
    /// The digest of the referrer.
    pub digest: Digest,
    /// The tags that name the referrer, sorted.
    pub tags: Vec<String>,
}

/// The attachments of a manifest, and the lists of referrers.
#[derive(Debug, Default)]
pub(in crate::client) struct FoundAttachments {
    /// The attachments that are deleted with the manifest. Each one comes before the manifest that it is attached to.
    pub(in crate::client) attached: Vec<Digest>,
    /// The lists of referrers that are deleted with the manifest.
    pub(in crate::client) lists: Vec<Digest>,
    /// The attachments that are not deleted, because they have tags of their own.
    pub(in crate::client) kept: Vec<TaggedReferrer>,
}

/// Searches the attachments of a manifest.
pub(in crate::client) struct AttachedSearch<'a> {
    pub(in crate::client) repository: &'a dyn ReadStorage,
    pub(in crate::client) reference: &'a Reference,
    /// All tags of the repository, each with the digest of the manifest that it names.
    pub(in crate::client) tags: &'a [(String, Digest)],
    /// The content that must not be deleted, such as the manifests of an index that stays.
    pub(in crate::client) needed: &'a BTreeSet<Digest>,
}

impl AttachedSearch<'_> {
    /// Finds the attachments of `root`, and attachments of attachments. An attachment with a tag of its own is kept with its
    /// own attachments.
    pub(in crate::client) async fn run(&self, root: &Digest) -> Result<FoundAttachments, Error> {
        let mut found = FoundAttachments::default();
        let Some(reader) = AttachedReader::new(self.repository) else {
            return Ok(found);
        };
        let mut bounds = AttachedBounds::new(self.reference);
        let mut seen = HashSet::from([root.clone()]);
        let (mut subjects, mut level) = (vec![root.clone()], 0);
        while !subjects.is_empty() {
            level += 1;
            for subject in mem::take(&mut subjects) {
                for attached in reader.of(&subject).await? {
                    let is_new = bounds.note(&attached, &subject, level)?;
                    let digest = attached.digest().clone();
                    if !is_new
                        || seen.contains(&digest)
                        || !belongs(&reader, &attached, &subject).await?
                    {
                        continue;
                    }
                    seen.insert(digest.clone());
                    if self.needed.contains(&digest) {
                        continue;
                    }
                    let tags = self.own_tags(&digest, &subject);
                    if tags.is_empty() {
                        subjects.push(digest);
                    } else {
                        found.kept.push(TaggedReferrer { digest, tags });
                    }
                }
                if let Some(list) = self.list(&subject)
                    && seen.insert(list.clone())
                {
                    found.lists.push(list);
                }
            }
            found.attached.extend(subjects.iter().cloned());
        }
        found.attached.reverse();
        Ok(found)
    }

    /// Returns the tags that name a manifest, except the tags that are made of the digest of `subject`.
    fn own_tags(&self, digest: &Digest, subject: &Digest) -> Vec<String> {
        let of_subject = attached_tags(subject);
        let list = referrers_tag(subject);
        let tags = self
            .tags
            .iter()
            .filter(|(tag, named)| named == digest && *tag != list && !of_subject.contains(tag));
        tags.map(|(tag, _)| tag.clone()).collect()
    }

    /// Returns the list of the referrers of `subject` under its tag, unless another tag names the list, too.
    fn list(&self, subject: &Digest) -> Option<Digest> {
        let tag = referrers_tag(subject);
        let (_, list) = self.tags.iter().find(|(known, _)| *known == tag)?;
        self.own_tags(list, subject)
            .is_empty()
            .then(|| list.clone())
    }
}

/// Returns whether a manifest is an attachment of `subject`. This reads the manifest of a referrer, because a list of
/// referrers may be wrong. The name of a tag is enough.
async fn belongs(
    reader: &AttachedReader<'_>,
    attached: &AttachedManifest,
    subject: &Digest,
) -> Result<bool, Error> {
    if matches!(attached, AttachedManifest::Tagged(..)) {
        return Ok(true);
    }
    let fetched = reader.fetch(attached, subject).await?;
    Ok(matches!(fetched, FetchedAttached::Found(..)))
}
