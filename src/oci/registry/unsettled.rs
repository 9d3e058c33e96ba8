//! The checks that a push makes after it has sent everything.
//!
//! A check takes time, because it waits for the registry or for other clients. So all checks run together: before a tag is
//! set, so that a tag never names a manifest whose content or referrers were lost, and at the end of the push.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::Descriptor;
use crate::oci::error::Error;

use super::referrers_tag::ListChange;
use super::repository_endpoint::RepositoryEndpoint;
use super::upload::check_stored;

/// How many blobs and manifests are checked at a time, and how many lists.
const AT_A_TIME: usize = 8;

/// The checks that a push has not made yet.
#[derive(Default)]
pub(super) struct Unsettled(Mutex<Checks>);

#[derive(Default)]
struct Checks {
    /// Blobs and manifests that the registry has confirmed, but that were not looked for yet.
    stored: Vec<(RepositoryEndpoint, Descriptor)>,
    /// Lists of referrers that other clients may have overwritten.
    lists: Vec<ListChange>,
}

impl Unsettled {
    fn checks(&self) -> MutexGuard<'_, Checks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a check that the registry has a blob or a manifest.
    pub(super) fn add_stored(&self, repository: &RepositoryEndpoint, content: &Descriptor) {
        let mut checks = self.checks();
        let mut known = checks.stored.iter();
        if !known.any(|(_, known)| known.digest == content.digest) {
            checks.stored.push((repository.clone(), content.clone()));
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
        let Checks { stored, lists } = std::mem::take(&mut *self.checks());
        let stored: Vec<_> = stored
            .into_iter()
            .map(async |(repository, content)| check_stored(&repository, &content).await)
            .collect();
        let stored = stream::iter(stored).buffer_unordered(AT_A_TIME);
        // The waiting times of the lists overlap.
        let lists: Vec<_> = lists.into_iter().map(ListChange::settle).collect();
        let lists = stream::iter(lists).buffer_unordered(AT_A_TIME);
        try_join(stored.try_collect::<()>(), lists.try_collect::<()>()).await?;
        Ok(())
    }
}
