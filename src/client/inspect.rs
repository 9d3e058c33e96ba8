//! Inspect: what a reference stands for, and who published it.

use std::sync::Arc;

use crate::archive::{Contents, Target, VerifiedClaims};
use crate::cache::Identity;
use crate::content::Digest;
use crate::oci::Reference;

use super::admission::Admission;
use super::client::Client;
use super::error::Error;
use super::lookup::Lookup;
use super::summary::{Summarized, preview_summary};
use super::trust::{TrustError, TrustPolicy};

/// A verified archive and its manifest.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspected {
    /// The digest of the manifest.
    pub digest: Digest,
    /// What the archive holds.
    pub contents: Contents,
}

impl Client {
    /// Downloads the archive that `reference` stands for into the cache and verifies everything in it. Of an
    /// image index, the manifest for this machine is used.
    ///
    /// This does not count as use: a client that starts without the registry gets the archive that was
    /// last [fetched](Self::fetch), [pulled](Self::pull) or [extracted](Self::extract).
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn inspect(&self, reference: &Reference) -> Result<Inspected, Error> {
        let reference = &self.locked(reference)?;
        let lookup = Lookup::start(self, reference, &Target::host()).await?;
        let contents = lookup
            .with_archive(|archive| lookup.verify(archive))
            .await?;
        let digest = lookup.digest();
        Ok(Inspected { digest, contents })
    }

    /// Returns what the archive that `reference` stands for says of itself, with its WIT world if `world` is
    /// `true`.
    ///
    /// This requests the manifest, when it carries the claims, or the start of the archive, as
    /// [`fetch`](Self::fetch) does, and the world with one more request. The executables are neither
    /// downloaded nor verified then. Every other archive is downloaded and verified as by
    /// [`inspect`](Self::inspect).
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn summarize(&self, reference: &Reference, world: bool) -> Result<Summarized, Error> {
        let reference = &self.locked(reference)?;
        let lookup = Lookup::start(self, reference, &Target::host()).await?;
        let summary = match preview_summary(&lookup, world).await? {
            Some(summary) => summary,
            None => lookup
                .with_archive(|archive| lookup.verify(archive))
                .await?
                .into(),
        };
        let digest = lookup.digest();
        Ok(Summarized { digest, summary })
    }

    /// Returns the identity that the repository of `reference` is pinned to, where the trust policy pins: an
    /// archive of another identity is refused.
    ///
    /// # Errors
    ///
    /// [`Error`] of the cache.
    pub async fn identity(&self, reference: &Reference) -> Result<Option<Identity>, Error> {
        let Some(place) = self.trust.place_of(reference) else {
            return Ok(None);
        };
        self.blocking(move |client| Ok(client.cache()?.identity(&place)?))
            .await
    }

    /// Verifies what `reference` stands for and pins its repository to the publisher, whatever it was pinned
    /// to, and its tag to that revision, even a lower one. The revisions of other tags stay. The rules
    /// of the policy and the lock hold nevertheless.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive, the trust policy or the lock;
    /// [`TrustError::NeverPinned`].
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn accept(&self, reference: &Reference) -> Result<VerifiedClaims, Error> {
        let reference = &self.locked(reference)?;
        if self.trust.place_of(reference).is_none() {
            return Err(TrustError::NeverPinned(reference.to_string()).into());
        }
        let mut accepting = self.clone();
        accepting.trust = Arc::new(TrustPolicy {
            accept_identity: true,
            allow_downgrade: true,
            ..TrustPolicy::clone(&self.trust)
        });
        let lookup = Lookup::start(&accepting, reference, &Target::host()).await?;
        let contents = lookup
            .with_archive(|archive| lookup.verify(archive))
            .await?;
        let claims = contents.claims;
        Admission::new(&accepting, reference).pin(&claims).await?;
        lookup.record(&claims, None).await;
        Ok(claims)
    }
}
