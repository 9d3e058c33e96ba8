//! The lists of referrers with the bundles: where to look for them first, and in which order to read the bundles.

use crate::content::{
    Digest, ListOrigin, ListedFirst, Referrer, ReferrerList, Referrers, with_causes,
};
use crate::oci::Reference;

use super::super::blocking::blocking;
use super::super::sigstore::{BundleManifest, SigstoreRule};
use super::super::trust::TrustError;
use super::question::IdentityCheck;

/// The annotation with the predicate type of the statement in a bundle (Sigstore bundle specification, "OCI referrers").
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// Reads the lists of referrers of the checked manifests.
pub(super) struct Lists<'a> {
    check: &'a IdentityCheck<'a>,
    referrers: &'a dyn Referrers,
    first: ListedFirst,
}

impl<'a> Lists<'a> {
    /// Decides where to look for lists first. The cache remembers registries without a referrers API, which saves a request
    /// to that API.
    pub(super) async fn new(check: &'a IdentityCheck<'a>, referrers: &'a dyn Referrers) -> Self {
        let mut first = ListedFirst::ByStorage;
        if let Some(registry) = registry(check) {
            let client = check.client.clone();
            let known = blocking(move || Ok(client.cache()?.is_listed_by_clients(&registry)));
            if known.await.unwrap_or_default() {
                first = ListedFirst::ByClients;
            }
        }
        Self {
            check,
            referrers,
            first,
        }
    }

    /// Returns the referrers of `manifest`, sorted: the bundles that are most likely to be accepted come first.
    pub(super) async fn of(&self, manifest: &Digest) -> Result<ReferrerList, TrustError> {
        let list = self.read(manifest, self.first).await?;
        if list.origin == ListOrigin::Clients {
            self.note(true).await;
        }
        Ok(list)
    }

    /// Returns the list that the storage itself maintains. It is for a caller that found no accepted bundle in the list of
    /// the clients: a registry that had no referrers API before may have one now.
    pub(super) async fn of_storage(&self, manifest: &Digest) -> Result<ReferrerList, TrustError> {
        let list = self.read(manifest, ListedFirst::ByStorage).await?;
        if list.origin == ListOrigin::Storage && !list.referrers.is_empty() {
            self.note(false).await;
        }
        Ok(list)
    }

    async fn read(
        &self,
        manifest: &Digest,
        first: ListedFirst,
    ) -> Result<ReferrerList, TrustError> {
        let listed = self.referrers.listed(manifest, BundleManifest::TYPE, first);
        let listed = listed.await;
        let mut list = listed.map_err(|error| self.check.unknown(error.kind(), error))?;
        // The list is not verified. The order only saves requests.
        list.referrers
            .sort_by_key(|referrer| self.unlikeliness(referrer));
        Ok(list)
    }

    /// Returns the sort key of a referrer: a lower number is more likely to be a bundle that is accepted.
    fn unlikeliness(&self, referrer: &Referrer) -> u8 {
        match referrer.artifact_type.as_deref() {
            Some(BundleManifest::TYPE) if self.is_of_other_predicate(referrer) => 1,
            Some(BundleManifest::TYPE) => 0,
            // ghcr.io lists the bundles of cosign with a wrong type.
            _ => 2,
        }
    }

    /// Whether the annotations in the list name a predicate type that no rule allows.
    fn is_of_other_predicate(&self, referrer: &Referrer) -> bool {
        let predicate = referrer.annotations.get(PREDICATE_TYPE);
        let fits = |rule: &SigstoreRule| {
            let demanded = rule.predicate.as_ref();
            demanded.is_none() || demanded == predicate
        };
        predicate.is_some() && !self.check.rules.iter().any(fits)
    }

    /// Remembers in the cache whether clients maintain the lists of this registry. A failure is only logged, because the
    /// cache may be read-only.
    async fn note(&self, by_clients: bool) {
        let Some(registry) = registry(self.check) else {
            return;
        };
        let client = self.check.client.clone();
        let noted = blocking(move || {
            Ok(client
                .cache()?
                .note_listed_by_clients(&registry, by_clients)?)
        });
        if let Err(error) = noted.await {
            let error = with_causes(&error);
            tracing::debug!("cannot note where the registry lists referrers: {error}");
        }
    }
}

fn registry(check: &IdentityCheck<'_>) -> Option<String> {
    match check.reference {
        Reference::Registry(place) => Some(place.registry().to_owned()),
        Reference::Layout(_) => None,
    }
}
