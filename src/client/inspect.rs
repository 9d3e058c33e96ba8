//! Inspect: what the archive of a reference contains, and who published it.

use std::sync::Arc;

#[cfg(feature = "cli")]
use futures_util::future::join;

use crate::archive::{Contents, Target, VerifiedClaims};
use crate::cache::Pin;
use crate::content::Digest;
use crate::oci::Reference;

#[cfg(feature = "cli")]
use super::attachments::{AttachedTypes, attached_types};
use super::blocking::blocking;
use super::client::Client;
use super::error::Error;
use super::lock::LockError;
use super::lookup::Lookup;
use super::sigstore::SigstoreIdentity;
use super::summary::{Summarized, preview_summary};
use super::trust::{TrustError, TrustPolicy};
use super::trust_report::TrustReport;

/// A verified archive and its manifest.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspected {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The digest of the bytes of the archive, which is the digest of its layer. `None`: the archive is in several
    /// layers.
    pub archive: Option<Digest>,
    /// The contents of the archive.
    pub contents: Contents,
    /// The Sigstore identity that vouches for the manifest. `None`: the trust policy demands none.
    pub identity: Option<SigstoreIdentity>,
}

impl Client {
    /// Downloads the archive that `reference` stands for into the cache and verifies everything in it. Of an
    /// image index, the manifest for this machine is used.
    ///
    /// This does not count as use. When the registry is unavailable, a client uses the archive that was last
    /// [fetched](Self::fetch), [pulled](Self::pull) or [extracted](Self::extract) under a tag, and not one that was
    /// only inspected.
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
        Ok(Inspected {
            digest: lookup.digest(),
            archive: lookup.archive_digest(),
            contents,
            identity: lookup.admission().vouched_by(),
        })
    }

    /// Returns the claims, the targets and the sizes of the archive that `reference` stands for, and its WIT world if
    /// `world` is `true`.
    ///
    /// The claims come from the manifest if it carries them, or else from the start of the archive, as for
    /// [`fetch`](Self::fetch). The world takes one more request. The executables are neither downloaded nor verified
    /// then. An archive without such claims is downloaded and verified as by [`inspect`](Self::inspect).
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, the archive or the trust policy.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn summarize(&self, reference: &Reference, world: bool) -> Result<Summarized, Error> {
        let reference = &self.locked(reference)?;
        let lookup = Lookup::start(self, reference, &Target::host()).await?;
        summarized(&lookup, world).await
    }

    /// [Summarizes](Self::summarize) an archive, and returns how many artifacts of each type are attached to its
    /// manifest. `None`: the number is not known, because only the cache was asked, or because listing failed, which is
    /// logged as a warning. Attachments that older tools have stored under tags are not counted.
    #[cfg(feature = "cli")]
    #[tracing::instrument(name = "summarize", skip_all, fields(%reference, digest))]
    pub(crate) async fn summarize_with_attached(
        &self,
        reference: &Reference,
        world: bool,
    ) -> Result<(Summarized, Option<AttachedTypes>), Error> {
        let reference = &self.locked(reference)?;
        let lookup = Lookup::start(self, reference, &Target::host()).await?;
        let (summarized, attached) =
            join(summarized(&lookup, world), attached_types(&lookup)).await;
        Ok((summarized?, attached))
    }

    /// Returns the publisher to which the repository of `reference` is pinned. An archive of another publisher is refused.
    /// `None` if the repository is not pinned, or if the trust policy does not pin it.
    ///
    /// # Errors
    ///
    /// [`Error`] of the cache.
    pub async fn pin(&self, reference: &Reference) -> Result<Option<Pin>, Error> {
        let Some(place) = self.trust.place_of(reference) else {
            return Ok(None);
        };
        let client = self.clone();
        blocking(move || Ok(client.state()?.pin(&place)?)).await
    }

    /// Returns whether the archive that `reference` stands for may be used, and the reasons: the lock, the rule, the
    /// pin and the rotation statement. Nothing is pinned.
    ///
    /// This sends the requests of [`summarize`](Self::summarize). The archive is downloaded only if neither its
    /// manifest nor its start has the claims.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, the cache, or of claims that do not verify. A refusal of the lock, the policy or a pin
    /// is in the [`TrustReport`].
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn check_trust(&self, reference: &Reference) -> Result<TrustReport, Error> {
        let reference = &match self.locked(reference) {
            // The report has this refusal.
            Err(Error::Lock(LockError::NotLocked { .. })) => reference.clone(),
            locked => locked?,
        };
        let lookup = Lookup::start(self, reference, &Target::host()).await?;
        TrustReport::of(&lookup).await
    }

    /// Verifies the archive that `reference` stands for, and pins its repository to the publisher in place of any other
    /// one. The tag is pinned to the revision of the archive, even if it is lower than before. The revisions of other
    /// tags stay. The archive must still satisfy the rules of the policy, also where the policy only audits, and the lock.
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
            ..self.trust.without_audit()
        });
        let lookup = Lookup::start(&accepting, reference, &Target::host()).await?;
        let contents = lookup
            .with_archive(|archive| lookup.verify(archive))
            .await?;
        let claims = contents.claims;
        lookup.admission().pin(&claims).await?;
        lookup.record(&claims, None).await;
        Ok(claims)
    }
}

async fn summarized(lookup: &Lookup, world: bool) -> Result<Summarized, Error> {
    let summary = match preview_summary(lookup, world).await? {
        Some(summary) => summary,
        None => lookup
            .with_archive(|archive| lookup.verify(archive))
            .await?
            .into(),
    };
    Ok(Summarized {
        digest: lookup.digest(),
        annotations: lookup.artifact.annotations().clone(),
        size: lookup.artifact.size(),
        rotation: lookup.admission().rotation().cloned(),
        identity: lookup.admission().vouched_by(),
        summary,
    })
}
