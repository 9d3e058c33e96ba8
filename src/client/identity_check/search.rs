//! The search for an accepted bundle. The bundle that the cache remembers is tried first, then those that the registry or
//! the image layout lists.

use std::collections::HashSet;

use bytes::Bytes;

use crate::content::{
    Content, Digest, ErrorKind, ListOrigin, ManifestName, ReferrerList, StoreError, with_causes,
};
use crate::oci::read_manifest;

use super::super::blocking::blocking;
use super::super::error::Error;
use super::super::sigstore::{BundleError, BundleManifest, SigstoreIdentity, SigstoreRule};
use super::super::trust::TrustError;
use super::lists::Lists;
use super::question::IdentityCheck;
use super::verifiers::Verifiers;

/// How many bundles are read at most. Each one takes one or two requests.
const MOST_BUNDLES: usize = 32;
/// How many referrers are read at most to find the bundles among them.
const MOST: usize = 256;
/// How many bytes all bundles together may have.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

impl IdentityCheck<'_> {
    /// Returns an identity that has signed the manifest and that the rules allow. If the cache has a bundle that was
    /// accepted before and still verifies, no request is sent.
    pub(super) async fn run(&self) -> Result<SigstoreIdentity, TrustError> {
        let rules = self.rules.to_vec();
        let verifiers = self.blocking(move || Ok(Verifiers::new(&rules))).await??;
        if let Some(identity) = self.remembered(&verifiers).await? {
            return Ok(identity);
        }
        let found = self.find(&verifiers).await?;
        self.remember(found.manifest, found.bundle).await;
        Ok(found.identity)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, TrustError> {
        blocking(work)
            .await
            .map_err(|error| self.unknown(error.kind(), error))
    }

    pub(super) fn unknown(
        &self,
        kind: ErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> TrustError {
        TrustError::UnknownIdentity {
            what: self.reference.to_string(),
            source: StoreError::new(kind, source),
        }
    }

    fn demanded(&self) -> Vec<String> {
        self.rules.iter().map(ToString::to_string).collect()
    }

    /// Returns the identity of a bundle that was accepted before, if the bundle is still accepted.
    async fn remembered(
        &self,
        verifiers: &Verifiers,
    ) -> Result<Option<SigstoreIdentity>, TrustError> {
        let (client, verifiers) = (self.client.clone(), verifiers.clone());
        let demands = [digest_of(&self.rules), digest_of(self.policy)];
        let manifests = self.manifests.clone();
        self.blocking(move || {
            for manifest in &manifests {
                for demand in &demands {
                    let kept = client.cache()?.kept_bundle(manifest, demand)?;
                    let verified = kept.map(|bundle| verifiers.verify(&bundle, manifest));
                    if let Some(Ok(identity)) = verified {
                        return Ok(Some(identity));
                    }
                }
            }
            Ok(None)
        })
        .await
    }

    /// Stores an accepted bundle in the cache. A failure is only logged, because the cache may be read-only.
    async fn remember(&self, manifest: Digest, bundle: Bytes) {
        let (client, demand) = (self.client.clone(), digest_of(&self.rules));
        let kept =
            blocking(move || Ok(client.cache()?.keep_bundle(&manifest, &demand, &bundle)?));
        if let Err(error) = kept.await {
            let error = with_causes(&error);
            tracing::info!(
                "cannot keep the Sigstore bundle of {}: {error}",
                self.reference
            );
        }
    }

    /// Reads the bundles that the storage lists, until one of them is accepted.
    async fn find(&self, verifiers: &Verifiers) -> Result<Found, TrustError> {
        let what = || self.reference.to_string();
        let Some(referrers) = self.store.as_referrers() else {
            return Err(TrustError::IdentityNotCached(what()));
        };
        let lists = Lists::new(self, referrers).await;
        let mut reading = Reading {
            check: self,
            verifiers,
            left: MOST_BYTES,
            tried: HashSet::new(),
            unread: 0,
            refusals: Vec::new(),
        };
        for manifest in &self.manifests {
            let list = lists.of(manifest).await?;
            if let Some(found) = reading.try_list(&list, manifest).await? {
                return Ok(found);
            }
            if list.origin == ListOrigin::ClientsFirst {
                let list = lists.of_storage(manifest).await?;
                if let Some(found) = reading.try_list(&list, manifest).await? {
                    return Ok(found);
                }
            }
        }
        let (refusals, unread) = (reading.refusals, reading.unread);
        if refusals.is_empty() && unread == 0 {
            return Err(TrustError::NoBundle {
                what: what(),
                demanded: self.demanded(),
            });
        }
        Err(TrustError::UntrustedIdentity {
            what: what(),
            demanded: self.demanded(),
            refusals,
            unread,
        })
    }
}

/// Returns a digest of the rules. The cache remembers bundles by it.
fn digest_of(rules: &[SigstoreRule]) -> Digest {
    let rules: Vec<String> = rules.iter().map(|rule| format!("{rule:?}")).collect();
    Digest::of(rules.join("\n").as_bytes())
}

/// A bundle that was accepted.
struct Found {
    identity: SigstoreIdentity,
    /// The manifest that the bundle signs.
    manifest: Digest,
    bundle: Bytes,
}

/// Reads the bundles of manifests, one after the other.
struct Reading<'a> {
    check: &'a IdentityCheck<'a>,
    verifiers: &'a Verifiers,
    /// How many more bytes of bundles may be read.
    left: u64,
    /// The manifests whose lists were read, each with a referrer on its list that was tried.
    tried: HashSet<(Digest, Digest)>,
    /// How many referrers were not read, because there are too many.
    unread: usize,
    /// The digest of each refused bundle's manifest, and the reason.
    refusals: Vec<(Digest, BundleError)>,
}

impl Reading<'_> {
    /// Returns the first accepted bundle on a list of the referrers of `manifest`.
    async fn try_list(
        &mut self,
        list: &ReferrerList,
        manifest: &Digest,
    ) -> Result<Option<Found>, TrustError> {
        for referrer in &list.referrers {
            let digest = &referrer.descriptor.digest;
            let place = (manifest.clone(), digest.clone());
            if self.tried.contains(&place) {
                continue;
            }
            if self.refusals.len() == MOST_BUNDLES || self.tried.len() == MOST {
                self.unread += 1;
                continue;
            }
            self.tried.insert(place);
            if let Some(found) = self.try_referrer(digest, manifest, list.origin).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Returns the bundle of a referrer of `manifest` if it is accepted. Otherwise, notes the reason.
    async fn try_referrer(
        &mut self,
        digest: &Digest,
        manifest: &Digest,
        origin: ListOrigin,
    ) -> Result<Option<Found>, TrustError> {
        let refusal = match self.read(digest, manifest).await {
            Ok(None) => return Ok(None),
            Ok(Some(bundle)) => match self.verify(bundle, manifest.clone()).await? {
                Ok(found) => return Ok(Some(found)),
                Err(refusal) => refusal,
            },
            // A list that clients maintain may contain any manifest. One with another subject is not a referrer.
            Err(Ok(BundleError::OtherManifest(_))) if origin != ListOrigin::Storage => {
                return Ok(None);
            }
            Err(refusal) => refusal?,
        };
        self.refusals.push((digest.clone(), refusal));
        Ok(None)
    }

    /// Returns a bundle, or `None` for another kind of artifact. The inner error is about this bundle only: another bundle
    /// may still be accepted.
    async fn read(
        &mut self,
        digest: &Digest,
        subject: &Digest,
    ) -> Result<Option<Bytes>, Result<BundleError, TrustError>> {
        let store = self.check.store;
        let name = ManifestName::Digest(digest.clone());
        let read = store.fetch_manifest(&name).await;
        let (_, manifest) = read.map_err(|error| self.failed(error))?;
        let Some(manifest) = BundleManifest::parse(&manifest, subject).map_err(Ok)? else {
            return Ok(None);
        };
        let bundle = &manifest.bundle;
        if bundle.size > self.left {
            return Err(Ok(BundleError::TooLarge {
                size: bundle.size,
                limit: self.left,
            }));
        }
        self.left -= bundle.size;
        if let Some(data) = &manifest.data
            && let Ok(bytes) = read_manifest(bundle, data).await
        {
            return Ok(Some(bytes));
        }
        let bytes = read_manifest(bundle, &Content::new(store, bundle)).await;
        let bytes = bytes.map_err(|error| self.failed(StoreError::new(error.kind(), error)))?;
        Ok(Some(bytes))
    }

    /// Classifies an error of reading a bundle. A bundle that is absent or malformed is refused. If the registry is
    /// unavailable or denies access, the result of the whole check is unknown.
    fn failed(&self, error: StoreError) -> Result<BundleError, TrustError> {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotVerified | ErrorKind::Other => {
                Ok(BundleError::Malformed(error.into()))
            }
            kind => Err(self.check.unknown(kind, error)),
        }
    }

    async fn verify(
        &self,
        bundle: Bytes,
        manifest: Digest,
    ) -> Result<Result<Found, BundleError>, TrustError> {
        let verifiers = self.verifiers.clone();
        let verifying = self.check.blocking(move || {
            let verified = verifiers.verify(&bundle, &manifest);
            Ok(verified.map(|identity| Found {
                identity,
                manifest,
                bundle,
            }))
        });
        verifying.await
    }
}
