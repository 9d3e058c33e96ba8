//! The search for a bundle that counts: the one that was accepted before, then those that the registry or the image layout
//! lists.

use bytes::Bytes;

use crate::content::{Content, Digest, ErrorKind, ManifestName, Referrer, StoreError, with_causes};
use crate::oci::read_manifest;

use super::super::blocking::blocking;
use super::super::error::Error;
use super::super::sigstore::{BundleError, BundleManifest, SigstoreIdentity, SigstoreRule};
use super::super::trust::TrustError;
use super::question::IdentityCheck;
use super::verifiers::Verifiers;

/// The most referrers of a manifest that are read. Each takes two requests.
const MOST: usize = 32;
/// The annotation with the type of the statement in a bundle (Sigstore bundle specification, "OCI referrers").
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
/// How many bytes of bundles are read for one manifest.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

impl IdentityCheck<'_> {
    /// Returns an identity that the policy allows. A bundle that was accepted before is verified again, and nobody
    /// is asked then.
    pub(in crate::client) async fn run(&self) -> Result<SigstoreIdentity, TrustError> {
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

    fn unknown(
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

    /// Returns the digest of what the policy demands.
    fn policy(&self) -> Digest {
        let rules: Vec<String> = self.rules.iter().map(|rule| format!("{rule:?}")).collect();
        Digest::of(rules.join("\n").as_bytes())
    }

    /// Returns the identity by the bundle that was accepted before, if it still counts.
    async fn remembered(
        &self,
        verifiers: &Verifiers,
    ) -> Result<Option<SigstoreIdentity>, TrustError> {
        let (client, policy) = (self.client.clone(), self.policy());
        let (manifests, verifiers) = (self.manifests.clone(), verifiers.clone());
        self.blocking(move || {
            for manifest in &manifests {
                let kept = client.cache()?.kept_bundle(manifest, &policy)?;
                let verified = kept.map(|bundle| verifiers.verify(&bundle, manifest));
                if let Some(Ok(identity)) = verified {
                    return Ok(Some(identity));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Keeps a bundle that was accepted. A failure is only logged, so that a cache can be used that is read only.
    async fn remember(&self, manifest: Digest, bundle: Bytes) {
        let (client, policy) = (self.client.clone(), self.policy());
        let kept =
            blocking(move || Ok(client.cache()?.keep_bundle(&manifest, &policy, &bundle)?));
        if let Err(error) = kept.await {
            let error = with_causes(&error);
            tracing::info!(
                "cannot keep the Sigstore bundle of {}: {error}",
                self.reference
            );
        }
    }

    /// Reads the bundles that the storage lists, until one of them counts.
    async fn find(&self, verifiers: &Verifiers) -> Result<Found, TrustError> {
        let what = || self.reference.to_string();
        let Some(referrers) = self.store.as_referrers() else {
            return Err(TrustError::IdentityNotCached(what()));
        };
        let mut reading = Reading {
            check: self,
            verifiers,
            left: MOST_BYTES,
            refusals: Vec::new(),
        };
        let mut unread = 0;
        for manifest in &self.manifests {
            let listed = referrers.referrers(manifest, Some(BundleManifest::TYPE));
            let listed = listed.await;
            let mut listed = listed.map_err(|error| self.unknown(error.kind(), error))?;
            // What a list says is not verified. It may save requests.
            listed.sort_by_key(|referrer| self.is_unlikely(referrer));
            unread += listed.len().saturating_sub(MOST);
            for referrer in listed.iter().take(MOST) {
                if let Some(found) = reading.try_referrer(referrer, manifest).await? {
                    return Ok(found);
                }
            }
        }
        if reading.refusals.is_empty() && unread == 0 {
            return Err(TrustError::NoBundle {
                what: what(),
                demanded: self.demanded(),
            });
        }
        Err(TrustError::UntrustedIdentity {
            what: what(),
            demanded: self.demanded(),
            refusals: reading.refusals,
            unread,
        })
    }
}

impl IdentityCheck<'_> {
    /// Whether a list says that the statement of a bundle is of a type that no rule allows.
    fn is_unlikely(&self, referrer: &Referrer) -> bool {
        let predicate = referrer.annotations.get(PREDICATE_TYPE);
        let fits = |rule: &SigstoreRule| {
            let demanded = rule.predicate.as_ref();
            demanded.is_none() || demanded == predicate
        };
        predicate.is_some() && !self.rules.iter().any(fits)
    }
}

/// A bundle that counts.
struct Found {
    identity: SigstoreIdentity,
    /// The manifest that it is about.
    manifest: Digest,
    bundle: Bytes,
}

/// Reading the bundles of a manifest, one after the other.
struct Reading<'a> {
    check: &'a IdentityCheck<'a>,
    verifiers: &'a Verifiers,
    /// How many more bytes of bundles are read.
    left: u64,
    /// Why the bundles that were read do not count.
    refusals: Vec<(Digest, BundleError)>,
}

impl Reading<'_> {
    /// Returns the bundle of a referrer of `manifest` if it counts, and else notes why it does not.
    async fn try_referrer(
        &mut self,
        referrer: &Referrer,
        manifest: &Digest,
    ) -> Result<Option<Found>, TrustError> {
        let digest = &referrer.descriptor.digest;
        let refusal = match self.read(digest, manifest).await {
            Ok(None) => return Ok(None),
            Ok(Some(bundle)) => match self.verify(bundle, manifest.clone()).await? {
                Ok(found) => return Ok(Some(found)),
                Err(refusal) => refusal,
            },
            Err(refusal) => refusal?,
        };
        self.refusals.push((digest.clone(), refusal));
        Ok(None)
    }

    /// Returns a bundle, or `None` for another kind of artifact. The inner error is a refusal of this bundle; other
    /// bundles may count.
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
        let bytes = read_manifest(bundle, &Content::new(store, bundle)).await;
        let bytes = bytes.map_err(|error| self.failed(StoreError::new(error.kind(), error)))?;
        Ok(Some(bytes))
    }

    /// Returns what it means that a bundle cannot be read: it does not count if it is absent or wrong. A registry that
    /// is away says nothing about it.
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
