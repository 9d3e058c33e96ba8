//! The manifests and tags of a repository, and the plan which of them to delete.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{Descriptor, Digest, ErrorKind, ManifestName, Push};
use crate::oci::{
    Declaration, RegistryReference, Repository, digests_in, is_of_digest, media_type,
};

use super::super::client::Client;
use super::super::error::Error;
use super::age::created;
use super::plan::{KeepReason, KeptTag, PrunePlan, PrunedManifest, Retention};

/// How many manifests are requested at a time.
const AT_A_TIME: usize = 8;
/// How many manifests without a tag may be requested: manifests that indexes list, and subjects.
const MOST_UNTAGGED: usize = 10_000;

/// A manifest of a repository.
struct Known {
    /// The digests in the JSON of the manifest. The content with these digests is needed by the manifest.
    names: Vec<Digest>,
    subject: Option<Digest>,
    is_index: bool,
    created: Option<SystemTime>,
}

/// The tags and the manifests of a repository. They are read from the registry itself and not from a mirror, which may
/// be out of date.
pub(in crate::client) struct Inventory {
    place: RegistryReference,
    repository: Repository,
    tags: BTreeMap<String, Digest>,
    manifests: BTreeMap<Digest, Known>,
    /// How many manifests without a tag were requested.
    untagged: usize,
}

impl Inventory {
    /// Reads the manifest of each tag. If `retention` depends on the age, also reads the times of the manifests whose tags it
    /// selects.
    pub(in crate::client) async fn read(
        client: &Client,
        place: &RegistryReference,
        retention: &Retention,
    ) -> Result<Self, Error> {
        let repository = client.registries.repository(place);
        let mut inventory = Self {
            place: place.clone(),
            tags: BTreeMap::new(),
            manifests: BTreeMap::new(),
            untagged: 0,
            repository,
        };
        let repository = &inventory.repository;
        let tags = repository.own_tags().await?;
        let read = tags.into_iter().map(|tag| async move {
            let name = ManifestName::Tag(tag.clone());
            let (manifest, bytes) = match repository.stored_manifest(&name).await {
                // The tag was deleted after the tags were listed.
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                stored => stored?,
            };
            let is_dated = retention.made_before.is_some() && retention.tags.contains(&tag);
            let created = if is_dated {
                created(client, repository, &manifest, &bytes).await?
            } else {
                None
            };
            let known = Known {
                created,
                ..Known::new(&manifest, &bytes)
            };
            Ok::<_, Error>(Some((tag, manifest.digest, known)))
        });
        let read = stream::iter(read.collect::<Vec<_>>()).buffered(AT_A_TIME);
        let read: Vec<_> = read.try_collect().await?;
        for (tag, digest, known) in read.into_iter().flatten() {
            // The time was read only for selected tags, and a manifest can also have other tags.
            let created = known.created;
            let entry = inventory.manifests.entry(digest.clone()).or_insert(known);
            entry.created = entry.created.or(created);
            inventory.tags.insert(tag, digest);
        }
        Ok(inventory)
    }

    /// Decides which tags and manifests to delete.
    pub(in crate::client) async fn plan(
        mut self,
        retention: &Retention,
    ) -> Result<PrunePlan, Error> {
        let (mut gone, mut kept) = (BTreeMap::<Digest, Vec<String>>::new(), Vec::new());
        for (tag, digest) in &self.tags {
            if !retention.tags.contains(tag) || is_of_digest(tag) {
                continue;
            }
            match self.reason_to_keep(tag, digest, retention) {
                Some(reason) => kept.push(KeptTag {
                    tag: tag.clone(),
                    digest: digest.clone(),
                    reason,
                }),
                None => gone.entry(digest.clone()).or_default().push(tag.clone()),
            }
        }
        let needed = self.needed(&gone, retention).await?;
        let mut pruned = Vec::new();
        for (digest, tags) in gone {
            let stays = self.reason_to_stay(&digest, &tags, &needed).await?;
            let created = self.manifests.get(&digest).and_then(|known| known.created);
            pruned.push(PrunedManifest {
                digest,
                tags,
                created,
                stays,
            });
        }
        pruned.sort_by(|one, other| one.tags.cmp(&other.tags));
        Ok(PrunePlan {
            repository: self.place,
            pruned,
            kept,
            needed,
        })
    }

    fn reason_to_keep(
        &self,
        tag: &str,
        digest: &Digest,
        retention: &Retention,
    ) -> Option<KeepReason> {
        if retention.locked_tags.contains(tag) || retention.locked.contains(digest) {
            return Some(KeepReason::Locked);
        }
        let limit = retention.made_before?;
        match self.manifests.get(digest).and_then(|known| known.created) {
            None => Some(KeepReason::UnknownAge),
            Some(created) if created >= limit => Some(KeepReason::Young),
            Some(_) => None,
        }
    }

    /// Returns the digests of everything that the remaining manifests need, also through indexes without a tag.
    async fn needed(
        &mut self,
        gone: &BTreeMap<Digest, Vec<String>>,
        retention: &Retention,
    ) -> Result<BTreeSet<Digest>, Error> {
        let mut needed: BTreeSet<Digest> = retention.locked.clone();
        let stays = self.tags.iter().filter(|(tag, digest)| {
            let goes = gone.get(*digest).is_some_and(|tags| tags.contains(tag));
            !goes && !gone.keys().any(|gone| is_attached_to(tag, gone))
        });
        let mut next: Vec<Digest> = stays.map(|(_, digest)| digest.clone()).collect();
        next.extend(retention.locked.iter().cloned());
        needed.extend(next.iter().cloned());
        while let Some(digest) = next.pop() {
            let Some(known) = self.known(&digest).await? else {
                continue;
            };
            let is_index = known.is_index;
            for name in known.names.clone() {
                if needed.insert(name.clone()) && is_index {
                    next.push(name);
                }
            }
        }
        Ok(needed)
    }

    /// Returns why the manifest `digest` stays although these of its tags are removed. `None`: it can be deleted.
    async fn reason_to_stay(
        &mut self,
        digest: &Digest,
        tags: &[String],
        needed: &BTreeSet<Digest>,
    ) -> Result<Option<String>, Error> {
        let others = self
            .tags
            .iter()
            .filter(|(tag, named)| *named == digest && !tags.contains(tag));
        let others: Vec<_> = others.map(|(tag, _)| tag.as_str()).collect();
        if !others.is_empty() {
            return Ok(Some(format!("it has other tags: {}", others.join(", "))));
        }
        if needed.contains(digest) {
            return Ok(Some(
                "a manifest that stays, or a lock, needs it".to_owned(),
            ));
        }
        // The manifest stays if its subject stays, or the subject of its subject, and so on. These need not have a tag.
        let mut subject = self
            .known(digest)
            .await?
            .and_then(|known| known.subject.clone());
        let mut seen = BTreeSet::new();
        while let Some(next) = subject {
            if needed.contains(&next) {
                return Ok(Some(format!("it belongs to {next}, which stays")));
            }
            if !seen.insert(next.clone()) {
                break;
            }
            subject = self
                .known(&next)
                .await?
                .and_then(|known| known.subject.clone());
        }
        Ok(None)
    }

    /// Returns a manifest of the repository with or without a tag, and requests it if necessary. `None`: the repository
    /// has no such manifest. The digest may be that of a blob.
    async fn known(&mut self, digest: &Digest) -> Result<Option<&Known>, Error> {
        if !self.manifests.contains_key(digest) {
            self.untagged += 1;
            if self.untagged > MOST_UNTAGGED {
                return Err(Error::TooMuch {
                    reference: self.place.to_string(),
                    most: MOST_UNTAGGED,
                    mebibytes: 0,
                    deepest: 0,
                });
            }
            let name = ManifestName::Digest(digest.clone());
            match self.repository.stored_manifest(&name).await {
                Ok((manifest, bytes)) => {
                    let known = Known::new(&manifest, &bytes);
                    self.manifests.insert(digest.clone(), known);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.manifests.get(digest))
    }
}

impl Known {
    fn new(manifest: &Descriptor, bytes: &[u8]) -> Self {
        Self {
            names: digests_in(bytes),
            subject: Declaration::of(bytes).map(|declared| declared.subject),
            is_index: media_type::is_index(&manifest.media_type),
            created: None,
        }
    }
}

/// Returns whether `tag` is a tag for the attachments of `digest`, such as `sha256-….sig`.
fn is_attached_to(tag: &str, digest: &Digest) -> bool {
    let name = tag.split('.').next().unwrap_or_default();
    is_of_digest(tag) && name.replacen('-', ":", 1) == digest.to_string()
}
