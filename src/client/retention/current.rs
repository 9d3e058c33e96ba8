//! The tags of a repository during the execution of a plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::content::Digest;
use crate::oci::{Repository, is_of_digest};

use super::super::delete::Deletion;
use super::super::error::Error;
use super::manifests::remains;
use super::plan::PrunePlan;

/// How many times all tags are read while as many manifests are deleted as there are tags.
const READINGS: usize = 8;
/// How many manifests are deleted after each reading, even if there are only a few tags.
const FEWEST: usize = 8;

/// All tags of a repository as they were read at one time.
pub(super) struct CurrentTags {
    /// The tags, sorted, each with the digest of the manifest that it names.
    pub(super) tags: Vec<(String, Digest)>,
    /// The content that must not be deleted.
    pub(super) needed: BTreeSet<Digest>,
    /// The content that is needed since the plan was made, each with a tag that needs it.
    newly_needed: BTreeMap<Digest, String>,
    /// How many manifests may be deleted before the tags are read again.
    deletions_left: usize,
}

/// Whether the tags of the manifests that are deleted are as they were read.
pub(super) enum Confirmed {
    /// They are.
    Yes,
    /// Tags of attachments have changed, such as this one. They are known now. The deletion of a referrer changes the list of
    /// its subject's referrers.
    WithOtherAttachments(String),
    /// This tag names another manifest now, or none.
    No(String),
}

impl CurrentTags {
    /// Reads all tags, and finds out what is needed now in addition to what the plan keeps: by tags that are new, and by tags
    /// that have moved.
    pub(super) async fn read(repository: &Repository, plan: &mut PrunePlan) -> Result<Self, Error> {
        let tags = repository.own_tags_and_digests().await?;
        let gone = plan.pruned.iter();
        let gone = gone.map(|manifest| (manifest.digest.clone(), manifest.tags.clone()));
        let gone: BTreeMap<_, _> = gone.collect();
        let mut needed = plan.needed.clone();
        let mut newly_needed = BTreeMap::new();
        for (tag, digest) in &tags {
            if plan.needed.contains(digest) || !remains(tag, digest, &gone) {
                continue;
            }
            let mut by_tag = BTreeSet::new();
            let named = vec![digest.clone()];
            let manifests = &mut plan.manifests;
            manifests.add_needed(repository, named, &mut by_tag).await?;
            for digest in by_tag {
                needed.insert(digest.clone());
                newly_needed.entry(digest).or_insert_with(|| tag.clone());
            }
        }
        Ok(Self {
            // The first of these deletions follows at once.
            deletions_left: (tags.len() / READINGS).max(FEWEST) - 1,
            tags,
            needed,
            newly_needed,
        })
    }

    /// Returns a tag that needs the manifest `digest`, or the subject that it belongs to, and did not need it when the plan
    /// was made.
    pub(super) async fn needed_by(
        &self,
        repository: &Repository,
        plan: &mut PrunePlan,
        digest: &Digest,
    ) -> Result<Option<&str>, Error> {
        let mut tag = self.newly_needed.get(digest);
        if tag.is_none() {
            let is_needed = |subject: &Digest| self.newly_needed.contains_key(subject);
            let manifests = &mut plan.manifests;
            let subject = manifests.subject_among(repository, digest, is_needed);
            tag = subject
                .await?
                .and_then(|subject| self.newly_needed.get(&subject));
        }
        Ok(tag.map(String::as_str))
    }

    /// Counts a deletion. Returns whether the tags were read recently enough for it.
    pub(super) fn count_deletion(&mut self) -> bool {
        let is_recent = self.deletions_left > 0;
        self.deletions_left = self.deletions_left.saturating_sub(1);
        is_recent
    }

    /// Requests each tag of the manifests that `deletion` deletes, and compares what it names.
    pub(super) async fn confirm(
        &mut self,
        repository: &Repository,
        deletion: &Deletion,
    ) -> Result<Confirmed, Error> {
        let deleted: BTreeSet<_> = deletion.manifests().collect();
        let mut confirmed = Confirmed::Yes;
        let mut tags = Vec::with_capacity(self.tags.len());
        for (tag, digest) in &self.tags {
            let mut digest = digest.clone();
            if deleted.contains(&digest) {
                match repository.own_digest(tag).await? {
                    Some(found) if found == digest => {}
                    found if is_of_digest(tag) => {
                        confirmed = Confirmed::WithOtherAttachments(tag.clone());
                        match found {
                            Some(found) => digest = found,
                            None => continue,
                        }
                    }
                    _ => return Ok(Confirmed::No(tag.clone())),
                }
            }
            tags.push((tag.clone(), digest));
        }
        self.tags = tags;
        Ok(confirmed)
    }
}
