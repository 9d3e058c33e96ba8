//! Without the feature `sigstore`, nothing is signed.

use std::convert::Infallible;

use bytes::Bytes;

use crate::client::sigstore::SigstoreIdentity;
use crate::content::Digest;
use crate::oci::Registries;

use super::error::SigningError;
use super::predicate::Predicate;
use super::signer::SigstoreSigner;

/// A session of signing with an instance. There is none without the feature.
pub(in crate::client) struct SigningSession(Infallible);

/// A bundle that was verified. There is none without the feature.
pub(in crate::client) struct SignedBundle {
    pub(in crate::client) bytes: Bytes,
    pub(in crate::client) identity: SigstoreIdentity,
}

impl SigningSession {
    /// Returns [`SigningError::NotBuilt`].
    #[allow(clippy::unused_async, reason = "with the feature, services are asked")]
    pub(in crate::client) async fn begin(
        _: &Registries,
        _: &SigstoreSigner,
    ) -> Result<Self, SigningError> {
        Err(SigningError::NotBuilt)
    }

    #[allow(clippy::unused_async, reason = "with the feature, services are asked")]
    pub(in crate::client) async fn sign(
        &mut self,
        _: &Digest,
        _: Option<&str>,
        _: &Predicate,
    ) -> Result<SignedBundle, SigningError> {
        match self.0 {}
    }
}
