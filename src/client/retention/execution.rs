//! Carrying out a plan.

use crate::content::ErrorKind;
use crate::oci::Reference;

use super::super::client::Client;
use super::super::delete::Deletion;
use super::super::error::Error;
use super::plan::{PrunePlan, PrunedManifest};

/// The outcome of a plan for one of its manifests.
#[derive(Debug)]
#[non_exhaustive]
pub struct PruneOutcome {
    /// The manifest in the plan.
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
    pub(in crate::client) client: &'a Client,
    pub(in crate::client) plan: &'a PrunePlan,
}

impl Execution<'_> {
    /// Deletes one manifest after the other. Continues after a failure, unless the registry is unavailable or denies
    /// access: the next deletion would fail as well.
    pub(in crate::client) async fn run(&self) -> Vec<PruneOutcome> {
        let mut outcomes = Vec::new();
        for manifest in &self.plan.pruned {
            let outcome = self.prune(manifest).await;
            let kind = outcome.error.as_ref().map(Error::kind);
            outcomes.push(outcome);
            if matches!(kind, Some(ErrorKind::Unavailable | ErrorKind::Denied)) {
                break;
            }
        }
        outcomes
    }

    async fn prune(&self, manifest: &PrunedManifest) -> PruneOutcome {
        let mut outcome = PruneOutcome {
            manifest: manifest.clone(),
            deleted: Vec::new(),
            manifest_deleted: false,
            error: None,
        };
        let done = if manifest.stays.is_none() {
            self.delete_manifest(manifest, &mut outcome).await
        } else {
            self.delete_tags(manifest, &mut outcome).await
        };
        outcome.error = done.err();
        outcome
    }

    /// Deletes a manifest and its attachments, except those that other manifests need. Fails if a tag that is not in the plan
    /// names the manifest now.
    async fn delete_manifest(
        &self,
        manifest: &PrunedManifest,
        outcome: &mut PruneOutcome,
    ) -> Result<(), Error> {
        let reference = self.reference().with_digest(manifest.digest.clone());
        let Reference::Registry(place) = &reference else {
            return Ok(());
        };
        let deletion: Deletion = self
            .client
            .deletion_without(place, &self.plan.needed)
            .await?;
        let new = deletion
            .tags
            .iter()
            .find(|tag| !manifest.tags.contains(tag));
        if let Some(tag) = new {
            return Err(Error::TagMoved {
                reference: self.reference().with_name(tag).to_string(),
                digest: manifest.digest.clone(),
            });
        }
        self.client.delete(&deletion).await?;
        outcome.manifest_deleted = true;
        outcome.deleted = deletion.tags;
        Ok(())
    }

    /// Removes tags, and keeps the manifest.
    async fn delete_tags(
        &self,
        manifest: &PrunedManifest,
        outcome: &mut PruneOutcome,
    ) -> Result<(), Error> {
        for tag in &manifest.tags {
            let tagged = self
                .reference()
                .with_name(tag)
                .and_digest(manifest.digest.clone());
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
