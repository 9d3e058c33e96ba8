//! The manifests and tags of a repository, and the plan which of them to delete.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{Digest, ErrorKind, ManifestName, Push};
use crate::oci::{RegistryReference, Repository, is_of_digest};

use super::super::client::Client;
use super::super::error::Error;
use super::age::created;
use super::manifests::{Known, Manifests, remains};
use super::plan::{KeepReason, KeptTag, PrunePlan, PrunedManifest, Retention};

/// How many manifests are requested at a time.
const AT_A_TIME: usize = 8;

/// The tags and the manifests of a repository. They are read from the registry itself and not from a mirror, which may
/// be out of date.
pub(in crate::client) struct Inventory {
    place: RegistryReference,
    repository: Repository,
    tags: BTreeMap<String, Digest>,
    manifests: Manifests,
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
            manifests: Manifests::default(),
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
            let mut known = Known::new(&manifest, &bytes);
            known.created = created;
            Ok::<_, Error>(Some((tag, manifest.digest, known)))
        });
        let read = stream::iter(read.collect::<Vec<_>>()).buffered(AT_A_TIME);
        let read: Vec<_> = read.try_collect().await?;
        for (tag, digest, known) in read.into_iter().flatten() {
            inventory.manifests.add(&digest, known);
            inventory.tags.insert(tag, digest);
        }
        Ok(inventory)
    }

    /// Decides which tags and manifests to delete.
    pub(in crate::client) async fn plan(
        mut self,
        client: &Client,
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
            let created = self.manifests.created(&digest);
            pruned.push(PrunedManifest {
                digest,
                tags,
                created,
                stays,
                attached: Vec::new(),
            });
        }
        self.find_attached(client, &mut pruned, &needed).await?;
        pruned.sort_by(|one, other| one.tags.cmp(&other.tags));
        Ok(PrunePlan {
            repository: self.place,
            pruned,
            kept,
            needed,
            manifests: self.manifests,
        })
    }

    /// Finds the attachments of the manifests that are deleted.
    async fn find_attached(
        &self,
        client: &Client,
        pruned: &mut [PrunedManifest],
        needed: &BTreeSet<Digest>,
    ) -> Result<(), Error> {
        let (place, tags) = (&self.place, self.tags.iter());
        let tags: Vec<_> = tags
            .map(|(tag, digest)| (tag.clone(), digest.clone()))
            .collect();
        let tags = tags.as_slice();
        let deleted = pruned
            .iter_mut()
            .filter(|manifest| manifest.stays.is_none());
        let find = deleted.map(|manifest| async move {
            let deletion = client.deletion_among(place, &manifest.digest, tags, needed);
            manifest.attached = deletion.await?.attached;
            Ok::<_, Error>(())
        });
        let find = stream::iter(find.collect::<Vec<_>>()).buffer_unordered(AT_A_TIME);
        find.try_collect().await
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
        match self.manifests.created(digest) {
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
        let stays = self.tags.iter();
        let stays = stays.filter(|(tag, digest)| remains(tag, digest, gone));
        let mut named: Vec<Digest> = stays.map(|(_, digest)| digest.clone()).collect();
        named.extend(retention.locked.iter().cloned());
        let manifests = &mut self.manifests;
        manifests
            .add_needed(&self.repository, named, &mut needed)
            .await?;
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
        let manifests = &mut self.manifests;
        let subject =
            manifests.subject_among(&self.repository, digest, |digest| needed.contains(digest));
        Ok(subject
            .await?
            .map(|subject| format!("it belongs to {subject}, which stays")))
    }
}
