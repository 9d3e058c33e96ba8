//! Carrying out a plan.

use crate::content::{Digest, ErrorKind, ManifestName, Resolve};
use crate::oci::{Reference, Repository};

use super::super::client::Client;
use super::super::delete::Deletion;
use super::super::error::Error;
use super::current::{Confirmed, CurrentTags};
use super::plan::{PrunePlan, PrunedManifest};

/// How many times a deletion is looked up while its attachments change.
const MOST_LOOKUPS: usize = 8;

/// The outcome of a plan for one of its manifests.
#[derive(Debug)]
#[non_exhaustive]
pub struct PruneOutcome {
    /// The manifest in the plan. If it was deleted, with the attachments that were deleted with it.
    pub manifest: PrunedManifest,
    /// The tags that were removed.
    pub deleted: Vec<String>,
    /// Whether the manifest was deleted.
    pub manifest_deleted: bool,
    /// The error that stopped the work on this manifest. `None`: everything was done as planned.
    pub error: Option<Error>,
}

/// A plan in execution.
pub(in crate::client) struct Execution<'a> {
    client: &'a Client,
    repository: Repository,
    plan: PrunePlan,
    /// The tags of the repository. `None`: they are read before the next deletion.
    current: Option<CurrentTags>,
}

impl<'a> Execution<'a> {
    pub(in crate::client) fn new(client: &'a Client, plan: &PrunePlan) -> Self {
        Self {
            client,
            repository: client
                .registries
                .repository(&plan.repository)
                .without_mirrors(),
            plan: plan.clone(),
            current: None,
        }
    }

    /// Deletes one manifest after the other. Continues after a failure, unless the registry is unavailable or denies
    /// access: the next deletion would fail as well.
    pub(in crate::client) async fn run(mut self) -> Vec<PruneOutcome> {
        let mut outcomes = Vec::new();
        for manifest in self.plan.pruned.clone() {
            let outcome = self.prune(manifest).await;
            let kind = outcome.error.as_ref().map(Error::kind);
            outcomes.push(outcome);
            if matches!(kind, Some(ErrorKind::Unavailable | ErrorKind::Denied)) {
                break;
            }
        }
        outcomes
    }

    async fn prune(&mut self, manifest: PrunedManifest) -> PruneOutcome {
        let mut outcome = PruneOutcome {
            manifest,
            deleted: Vec::new(),
            manifest_deleted: false,
            error: None,
        };
        let done = if outcome.manifest.stays.is_none() {
            self.delete_manifest(&mut outcome).await
        } else {
            self.delete_tags(&mut outcome).await
        };
        outcome.error = done.err();
        outcome
    }

    /// Deletes a manifest and its attachments, except those that other manifests need. Fails if a tag that is not in the plan
    /// names the manifest now, or an index that does.
    async fn delete_manifest(&mut self, outcome: &mut PruneOutcome) -> Result<(), Error> {
        let digest = outcome.manifest.digest.clone();
        if self
            .current
            .as_mut()
            .is_some_and(|current| !current.count_deletion())
        {
            self.current = None;
        }
        let mut found = self.deletion(&digest).await?;
        if found.is_err() {
            self.current = None;
            found = self.deletion(&digest).await?;
        }
        let deletion = found.map_err(|tag| self.moved(&tag, &digest))?;
        self.client.delete(&deletion).await?;
        outcome.manifest_deleted = true;
        outcome.deleted = deletion.tags;
        outcome.manifest.attached = deletion.attached;
        Ok(())
    }

    /// Returns the deletion of a manifest, or else a tag of it that has moved since all tags were read.
    async fn deletion(&mut self, digest: &Digest) -> Result<Result<Deletion, String>, Error> {
        let name = ManifestName::Digest(digest.clone());
        self.repository.resolve(&name).await?;
        let current = match &mut self.current {
            Some(current) => current,
            none => none.insert(CurrentTags::read(&self.repository, &mut self.plan).await?),
        };
        let needed_by = current.needed_by(&self.repository, &mut self.plan, digest);
        if let Some(tag) = needed_by.await?.map(str::to_owned) {
            return Err(self.moved(&tag, digest));
        }
        let place = &self.plan.repository;
        let mut changed = String::new();
        for _ in 0..MOST_LOOKUPS {
            let (tags, needed) = (&current.tags, &current.needed);
            let deletion = self
                .client
                .deletion_among(place, digest, tags, needed)
                .await?;
            match current.confirm(&self.repository, &deletion).await? {
                Confirmed::Yes => return Ok(Ok(deletion)),
                Confirmed::No(tag) => return Ok(Err(tag)),
                Confirmed::WithOtherAttachments(tag) => changed = tag,
            }
        }
        Ok(Err(changed))
    }

    fn moved(&self, tag: &str, digest: &Digest) -> Error {
        Error::TagMoved {
            reference: self.reference().with_name(tag).to_string(),
            digest: digest.clone(),
        }
    }

    /// Removes tags, and keeps the manifest.
    async fn delete_tags(&self, outcome: &mut PruneOutcome) -> Result<(), Error> {
        let digest = &outcome.manifest.digest;
        for tag in &outcome.manifest.tags {
            let tagged = self.reference().with_name(tag).and_digest(digest.clone());
            let deleted = self.client.delete_tag(&tagged).await?;
            outcome.deleted.push(tag.clone());
            outcome.manifest_deleted |= deleted.manifest_deleted;
        }
        Ok(())
    }

    fn reference(&self) -> Reference {
        Reference::Registry(self.plan.repository.clone())
    }
}
