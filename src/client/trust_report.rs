//! The reasons for or against using the archive of a reference.

use crate::archive::{Rotation, VerifiedClaims};
use crate::cache::Pin;
use crate::content::Digest;

use super::admission::Decision;
use super::annotations;
use super::blocking::blocking;
use super::error::Error;
use super::lock::Locked;
use super::lookup::Lookup;
use super::sigstore::SigstoreIdentity;
use super::trust::Pattern;

/// Whether the archive that a reference stands for may be used, and why.
#[derive(Debug)]
#[non_exhaustive]
pub struct TrustReport {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The claims of the archive, whose signature, key types and dates are verified.
    pub claims: VerifiedClaims,
    /// The entry in the lock of the client. `None`: the client has no lock.
    pub locked: Option<Locked>,
    /// The pattern of the rule that matches the reference. `None`: no rule matches.
    pub rule: Option<Pattern>,
    /// The name of the repository as it is pinned, `registry/repository`. `None`: it is never pinned.
    pub repository: Option<String>,
    /// The identity that the repository is pinned to. `None`: it is not pinned yet, or never.
    pub pin: Option<Pin>,
    /// The verified rotation statement on the manifest.
    pub rotation: Option<Rotation>,
    /// The Sigstore identity that vouches for the manifest. `None`: neither the policy nor the lock demands an identity,
    /// or no identity that they allow vouches for the manifest.
    pub identity: Option<SigstoreIdentity>,
    /// The refusals of the lock, the policy and the pin. Empty: a fetch accepts the archive.
    pub refusals: Vec<Error>,
    /// The refusals that do not count because the policy only audits.
    pub audited: Vec<Error>,
}

impl TrustReport {
    /// Returns the report about the archive of a lookup. The archive is downloaded only if its claims cannot be
    /// known otherwise.
    pub(super) async fn of(lookup: &Lookup) -> Result<Self, Error> {
        let claims = claims(lookup).await?;
        let admission = lookup.admission().clone();
        let client = lookup.client();
        let reference = lookup.reference();
        let locked = client.lock.as_ref().and_then(|lock| lock.find(reference));
        let rule = client.trust.rule(reference);
        let (decided, claims) = blocking(move || Ok((admission.decide(&claims)?, claims))).await?;
        let Decision {
            repository,
            pin,
            mut refusals,
            mut audited,
        } = decided;
        let (index, store) = (lookup.index(), lookup.store());
        let identity = match lookup.admission().identity(index, store).await {
            Ok(identity) => identity,
            Err(refusal) => {
                let list = if lookup.admission().audits_identity(&refusal) {
                    &mut audited
                } else {
                    &mut refusals
                };
                list.push(refusal);
                None
            }
        };
        Ok(Self {
            digest: lookup.digest(),
            claims,
            locked: locked.cloned(),
            rule: rule.map(|rule| rule.pattern.clone()),
            repository,
            pin,
            rotation: lookup.admission().rotation().cloned(),
            identity,
            refusals,
            audited,
        })
    }
}

/// Returns the verified claims of the archive of a lookup. The archive is downloaded only if its claims cannot be known
/// otherwise. The lock, the policy and the pin are not checked.
pub(super) async fn claims(lookup: &Lookup) -> Result<VerifiedClaims, Error> {
    if lookup.missing().await? > 0
        && let Some(preview) = lookup.preview().await?
    {
        lookup.record_head(preview.head).await;
        return Ok(preview.claims);
    }
    lookup
        .with_any_archive(|archive| async move {
            let reference = lookup.reference().clone();
            let reading = lookup.client().blocking(move |client| {
                let claims = archive.claims(&reference, &client.limits)?;
                annotations::compare(&archive.artifact, &claims, &reference)?;
                Ok(claims)
            });
            reading.await
        })
        .await
}
