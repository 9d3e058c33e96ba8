//! The manifests of a repository, and the content that they need.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use crate::content::{Descriptor, Digest, ErrorKind, ManifestName, Push};
use crate::oci::{Declaration, Repository, digests_in, is_of_digest, media_type};

use super::super::error::Error;

/// How many manifests without a tag may be requested: manifests that indexes list, and subjects.
const MOST_UNTAGGED: usize = 10_000;

/// A manifest of a repository.
#[derive(Debug, Clone)]
pub(in crate::client) struct Known {
    /// The digests in the JSON of the manifest. The content with these digests is needed by the manifest.
    names: Vec<Digest>,
    subject: Option<Digest>,
    is_index: bool,
    /// When the manifest was made. `None` if that is not known, or was not read.
    pub(super) created: Option<SystemTime>,
}

impl Known {
    pub(super) fn new(manifest: &Descriptor, bytes: &[u8]) -> Self {
        Self {
            names: digests_in(bytes),
            subject: Declaration::of(bytes).map(|declared| declared.subject),
            is_index: media_type::is_index(&manifest.media_type),
            created: None,
        }
    }
}

/// The manifests of a repository that were read, by their digests.
#[derive(Debug, Clone, Default)]
pub(in crate::client) struct Manifests {
    known: BTreeMap<Digest, Known>,
    /// How many manifests were requested by digest.
    untagged: usize,
}

impl Manifests {
    /// Adds a manifest that a tag names.
    pub(super) fn add(&mut self, digest: &Digest, known: Known) {
        // The time was read only for selected tags, and a manifest can also have other tags.
        let created = known.created;
        let entry = self.known.entry(digest.clone()).or_insert(known);
        entry.created = entry.created.or(created);
    }

    /// Returns when a manifest was made, if that is known.
    pub(super) fn created(&self, digest: &Digest) -> Option<SystemTime> {
        self.known.get(digest)?.created
    }

    /// Adds the manifests `named` to `needed`, and the digests of everything that they need, also through indexes without a
    /// tag.
    pub(super) async fn add_needed(
        &mut self,
        repository: &Repository,
        named: Vec<Digest>,
        needed: &mut BTreeSet<Digest>,
    ) -> Result<(), Error> {
        needed.extend(named.iter().cloned());
        let mut next = named;
        while let Some(digest) = next.pop() {
            let Some(known) = self.known(repository, &digest).await? else {
                continue;
            };
            let is_index = known.is_index;
            for name in known.names.clone() {
                if needed.insert(name.clone()) && is_index {
                    next.push(name);
                }
            }
        }
        Ok(())
    }

    /// Returns the first manifest for which `is_needed` returns `true` among the subject of `digest`, the subject of that
    /// subject, and so on. These need not have a tag.
    pub(super) async fn subject_among(
        &mut self,
        repository: &Repository,
        digest: &Digest,
        is_needed: impl Fn(&Digest) -> bool,
    ) -> Result<Option<Digest>, Error> {
        let mut seen = BTreeSet::new();
        let mut digest = digest.clone();
        while let Some(known) = self.known(repository, &digest).await? {
            let Some(subject) = known.subject.clone() else {
                break;
            };
            if is_needed(&subject) {
                return Ok(Some(subject));
            }
            if !seen.insert(subject.clone()) {
                break;
            }
            digest = subject;
        }
        Ok(None)
    }

    /// Returns a manifest of the repository with or without a tag, and requests it if necessary. `None`: the repository
    /// has no such manifest. The digest may be that of a blob.
    async fn known(
        &mut self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<&Known>, Error> {
        if !self.known.contains_key(digest) {
            self.untagged += 1;
            if self.untagged > MOST_UNTAGGED {
                return Err(Error::TooManyUntagged {
                    repository: repository.location(),
                    most: MOST_UNTAGGED,
                });
            }
            let name = ManifestName::Digest(digest.clone());
            match repository.stored_manifest(&name).await {
                Ok((manifest, bytes)) => {
                    let known = Known::new(&manifest, &bytes);
                    self.known.insert(digest.clone(), known);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.known.get(digest))
    }
}

/// Returns whether a tag, which names `digest`, remains when the tags in `gone` are removed. Tags for the attachments of a
/// manifest that loses tags do not count: they are deleted with it.
pub(super) fn remains(tag: &str, digest: &Digest, gone: &BTreeMap<Digest, Vec<String>>) -> bool {
    let goes = || {
        gone.get(digest)
            .is_some_and(|tags| tags.iter().any(|gone| gone == tag))
    };
    !goes() && !gone.keys().any(|gone| is_attached_to(tag, gone))
}

/// Returns whether `tag` is a tag for the attachments of `digest`, such as `sha256-….sig`.
fn is_attached_to(tag: &str, digest: &Digest) -> bool {
    let name = tag.split('.').next().unwrap_or_default();
    is_of_digest(tag) && name.replacen('-', ":", 1) == digest.to_string()
}

#[cfg(test)]
#[path = "tests/manifests.rs"]
mod tests;
