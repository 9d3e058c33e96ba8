//! The checks that a push makes at its end.
//!
//! A check takes time, because it waits for the registry or for other clients. So all checks run together at the end of
//! the push. The lists of referrers are checked earlier, before a tag is set, so that a tag never names a manifest whose
//! referrers were lost.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::Descriptor;
use crate::oci::error::Error;

use super::referrers_tag::ListChange;
use super::repository_endpoint::RepositoryEndpoint;
use super::upload::check_manifest;

/// How many manifests are checked at a time, and how many lists.
const AT_A_TIME: usize = 8;

/// The checks that are left for the end of a push.
#[derive(Default)]
pub(super) struct Unsettled(Mutex<Checks>);

#[derive(Default)]
struct Checks {
    /// Manifests that the registry has confirmed, but that were not read back yet.
    manifests: Vec<(RepositoryEndpoint, Descriptor)>,
    /// Lists of referrers that other clients may have overwritten.
    lists: Vec<ListChange>,
}

impl Unsettled {
    fn checks(&self) -> MutexGuard<'_, Checks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a check that the registry has a manifest.
    pub(super) fn add_manifest(&self, repository: &RepositoryEndpoint, manifest: &Descriptor) {
        let mut checks = self.checks();
        let mut known = checks.manifests.iter();
        if !known.any(|(_, known)| known.digest == manifest.digest) {
            let manifest = (repository.clone(), manifest.clone());
            checks.manifests.push(manifest);
        }
    }

    /// Adds a check that a list still has a change.
    pub(super) fn add_list(&self, change: ListChange) {
        let mut checks = self.checks();
        let mut left = Some(change);
        for list in &mut checks.lists {
            left = left.and_then(|change| list.merge(change));
        }
        checks.lists.extend(left);
    }

    /// Runs all checks.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        let manifests = std::mem::take(&mut self.checks().manifests);
        let manifests: Vec<_> = manifests
            .into_iter()
            .map(async |(repository, manifest)| check_manifest(&repository, &manifest).await)
            .collect();
        let manifests = stream::iter(manifests).buffer_unordered(AT_A_TIME);
        try_join(manifests.try_collect::<()>(), self.settle_lists()).await?;
        Ok(())
    }

    /// Checks the lists of referrers.
    pub(super) async fn settle_lists(&self) -> Result<(), Error> {
        let lists = std::mem::take(&mut self.checks().lists);
        // The waiting times of the lists overlap.
        let lists: Vec<_> = lists.into_iter().map(ListChange::settle).collect();
        let lists = stream::iter(lists).buffer_unordered(AT_A_TIME);
        lists.try_collect().await
    }
}
