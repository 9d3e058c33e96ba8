//! The check that an allowed Sigstore identity has signed a manifest: its input and the order of its steps.

use std::borrow::Cow;

use crate::content::{Digest, ReadStorage};
use crate::oci::Reference;

use super::super::client::Client;
use super::super::error::Error;
use super::super::lock::{LockError, LockedIdentity};
use super::super::sigstore::{SigstoreIdentity, SigstoreRule};
use super::super::trust::TrustError;

/// A check that one of the allowed identities has signed a manifest.
#[cfg_attr(
    not(feature = "sigstore"),
    allow(dead_code, reason = "without the feature, no bundle is searched for")
)]
pub(in crate::client) struct IdentityCheck<'a> {
    pub(super) client: &'a Client,
    pub(super) reference: &'a Reference,
    /// The manifest of the archive, and the image index from which it was chosen. A signature of either of them is enough,
    /// because an index names its manifests by digest.
    pub(super) manifests: Vec<Digest>,
    /// The storage with the manifests and their bundles.
    pub(super) store: &'a dyn ReadStorage,
    /// The identities that this check allows.
    pub(super) rules: Cow<'a, [SigstoreRule]>,
    /// The identities that the trust policy allows. `rules` may be narrower. The cache may remember a bundle that was
    /// accepted for the whole policy.
    pub(super) policy: &'a [SigstoreRule],
}

impl<'a> IdentityCheck<'a> {
    /// Returns a check of the manifests that `reference` names, by the rules of the trust policy.
    pub(in crate::client) fn new(
        client: &'a Client,
        reference: &'a Reference,
        manifests: Vec<Digest>,
        store: &'a dyn ReadStorage,
    ) -> Self {
        let policy = client.trust.identities(reference);
        Self {
            client,
            reference,
            manifests,
            store,
            rules: Cow::Borrowed(policy),
            policy,
        }
    }

    /// Returns an identity that has signed the manifest and that the policy and the lock allow. Returns `None` if neither
    /// of them requires an identity.
    pub(in crate::client) async fn answer(self) -> Result<Option<SigstoreIdentity>, Error> {
        let lock = self.client.lock.as_ref();
        if let Some(locked) = lock.and_then(|lock| lock.identity(self.reference)) {
            return self.answer_locked(locked).await.map(Some);
        }
        let preferred = self.client.preferred.as_ref();
        let rules = preferred.map(|preferred| preferred.rules(self.policy));
        let rules = rules.filter(|rules| !rules.is_empty());
        let check = match rules {
            None => self,
            Some(rules) => {
                let check = self.by(rules);
                match check.run().await {
                    Ok(identity) => return Ok(Some(identity)),
                    // An identity that is allowed, but not preferred, may have signed the manifest.
                    Err(
                        TrustError::NoBundle { .. }
                        | TrustError::UntrustedIdentity { .. }
                        | TrustError::IdentityNotCached(_)
                        | TrustError::SigstoreNotBuilt(_),
                    ) => {}
                    Err(error) => return Err(error.into()),
                }
                let policy = Cow::Borrowed(check.policy);
                Self {
                    rules: policy,
                    ..check
                }
            }
        };
        if check.rules.is_empty() {
            return Ok(None);
        }
        Ok(Some(check.run().await?))
    }

    /// Returns the locked identity if it has signed the manifest.
    async fn answer_locked(self, locked: &LockedIdentity) -> Result<SigstoreIdentity, Error> {
        let reference = self.reference.to_string();
        if cfg!(not(feature = "sigstore")) {
            return Err(LockError::SigstoreNotBuilt(reference).into());
        }
        let rules = locked.rules(self.policy);
        if rules.is_empty() {
            let locked = locked.to_string();
            let refusal = if self.policy.is_empty() {
                LockError::NoTrustedRoot { reference, locked }
            } else {
                LockError::IdentityNotAllowed { reference, locked }
            };
            return Err(refusal.into());
        }
        let missing = |refusals, unread| LockError::IdentityMissing {
            reference: reference.clone(),
            locked: locked.to_string(),
            refusals,
            unread,
        };
        // It is the lock that demands the identity, not the policy.
        let identity = match self.by(rules).run().await {
            Ok(identity) => identity,
            Err(TrustError::NoBundle { .. }) => return Err(missing(Vec::new(), 0).into()),
            Err(TrustError::UntrustedIdentity {
                refusals, unread, ..
            }) => return Err(missing(refusals, unread).into()),
            Err(error) => return Err(error.into()),
        };
        // A `*` in a locked subject is not a wildcard, so the identities are compared exactly.
        if !locked.is(&identity) {
            let actual = LockedIdentity::from(&identity).to_string();
            let locked = locked.to_string();
            return Err(LockError::OtherIdentity {
                reference,
                locked,
                actual,
            }
            .into());
        }
        Ok(identity)
    }

    fn by(self, rules: Vec<SigstoreRule>) -> Self {
        Self {
            rules: Cow::Owned(rules),
            ..self
        }
    }

    /// Returns [`TrustError::SigstoreNotBuilt`].
    #[cfg(not(feature = "sigstore"))]
    #[allow(
        clippy::unused_async,
        reason = "with the feature, this sends requests to registries"
    )]
    async fn run(&self) -> Result<SigstoreIdentity, TrustError> {
        Err(TrustError::SigstoreNotBuilt(self.reference.to_string()))
    }
}
