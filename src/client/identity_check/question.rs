//! The question whether a Sigstore identity vouches for a manifest.

use crate::content::{Digest, ReadStorage};
use crate::oci::Reference;

use super::super::client::Client;
#[cfg(not(feature = "sigstore"))]
use super::super::sigstore::SigstoreIdentity;
use super::super::sigstore::SigstoreRule;
#[cfg(not(feature = "sigstore"))]
use super::super::trust::TrustError;

/// The question which of the identities that the policy allows vouches for a manifest.
#[cfg_attr(
    not(feature = "sigstore"),
    allow(dead_code, reason = "nothing is asked without the feature")
)]
pub(in crate::client) struct IdentityCheck<'a> {
    pub(super) client: &'a Client,
    pub(super) reference: &'a Reference,
    /// The manifest of the archive, and the image index from which it was chosen: who signs the index signs what it names.
    pub(super) manifests: Vec<Digest>,
    /// The storage with the manifests and their bundles.
    pub(super) store: &'a dyn ReadStorage,
    pub(super) rules: &'a [SigstoreRule],
}

impl<'a> IdentityCheck<'a> {
    /// Returns the question about the manifests that `reference` stands for, or `None` where the policy demands no
    /// identity.
    pub(in crate::client) fn new(
        client: &'a Client,
        reference: &'a Reference,
        manifests: impl IntoIterator<Item = Digest>,
        store: &'a dyn ReadStorage,
    ) -> Option<Self> {
        let rules = client.trust.identities(reference);
        (!rules.is_empty()).then_some(Self {
            client,
            reference,
            manifests: manifests.into_iter().collect(),
            store,
            rules,
        })
    }

    /// Returns an identity that the policy allows. A bundle that was accepted before is verified again, and nobody is
    /// asked then.
    #[cfg(not(feature = "sigstore"))]
    #[allow(
        clippy::unused_async,
        reason = "with the feature, registries are asked"
    )]
    pub(in crate::client) async fn run(&self) -> Result<SigstoreIdentity, TrustError> {
        Err(TrustError::SigstoreNotBuilt(self.reference.to_string()))
    }
}
