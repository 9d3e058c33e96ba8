//! Pins: who published before, and what a tag had before.

use std::sync::Arc;

use crate::archive::VerifiedClaims;
use crate::cache::Identity;
use crate::oci::{Reference, RegistryReference};

use super::super::Client;
use super::super::error::Error;
use super::{Pinning, TrustError, TrustPolicy};

impl Client {
    /// Asks the policy and the pin whether claims may be used that are those of `reference`: as soon as
    /// they are known, and again when others have come. Blocks: it reads a file.
    pub(in crate::client) fn trusted(
        &self,
        reference: &Reference,
        claims: &VerifiedClaims,
    ) -> Result<(), Error> {
        self.published_as_locked(reference, claims)?;
        self.trust.check(claims, reference)?;
        self.place_to_pin(reference, claims).map(drop)
    }

    /// The same, without blocking.
    pub(in crate::client) async fn ask_trust(
        &self,
        reference: &Reference,
        claims: &VerifiedClaims,
    ) -> Result<(), Error> {
        let (reference, claims) = (reference.clone(), claims.clone());
        self.blocking(move |client| client.trusted(&reference, &claims))
            .await
    }

    /// Pins `reference` to who published what was fetched, once that has been verified, and remembers
    /// its revision. Somebody else may have been quicker: so it asks once more.
    pub(in crate::client) async fn pin(
        &self,
        reference: &Reference,
        claims: &VerifiedClaims,
    ) -> Result<(), Error> {
        let (reference, claims) = (reference.clone(), claims.clone());
        self.blocking(move |client| {
            // Nearly always there is nothing to write, and so nothing to wait for.
            let Some(place) = client.place_to_pin(&reference, &claims)? else {
                return Ok(());
            };
            client.cache()?.pin(&place, |known| {
                Ok::<_, Error>(client.trust.judge(known, &place, &reference, &claims)?)
            })?;
            let (issuer, subject) = (claims.issuer().as_str(), claims.subject().as_str());
            tracing::info!(%issuer, %subject, "{place} is pinned to issuer {issuer} and subject {subject}");
            Ok(())
        })
        .await
    }

    /// The place whose pin has to change before these claims are used, if any has.
    fn place_to_pin(
        &self,
        reference: &Reference,
        claims: &VerifiedClaims,
    ) -> Result<Option<String>, Error> {
        let Some(place) = self.trust.place_of(reference) else {
            return Ok(None);
        };
        let known = self.cache()?.identity(&place)?;
        let changed = self
            .trust
            .judge(known.as_ref(), &place, reference, claims)?;
        Ok(changed.map(|_| place))
    }

    /// Who the repository of `reference` is pinned to, where the trust policy asks for that: nothing by
    /// anybody else is taken from there.
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

    /// Verifies what `reference` stands for, and pins its repository to who published that, whoever it
    /// was pinned to, and its tag to that revision, even a lower one. What other tags had stays. The rules
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
        let cached = accepting.cached(reference).await?;
        let (cached, contents) = accepting.verified(cached, reference).await?;
        let claims = contents.claims;
        accepting.pin(reference, &claims).await?;
        self.record(cached.confirmed, None).await;
        Ok(claims)
    }
}

/// The name under which a repository is pinned: the same one, however it is written.
#[must_use]
pub fn pin_name(place: &RegistryReference) -> String {
    let place = place.under_one_name();
    format!("{}/{}", place.registry(), place.repository())
}

impl TrustPolicy {
    /// The name under which the repository of `reference` is pinned, if it is to be.
    fn place_of(&self, reference: &Reference) -> Option<String> {
        match (reference, self.pinning(reference)) {
            (_, Pinning::Off) | (Reference::Layout(_), _) => None,
            (Reference::Registry(place), _) => Some(pin_name(place)),
        }
    }

    /// Compares claims with what is `known` of `place`. Gives what should be known from now on, when that
    /// is something else.
    pub(super) fn judge(
        &self,
        known: Option<&Identity>,
        place: &str,
        reference: &Reference,
        claims: &VerifiedClaims,
    ) -> Result<Option<Identity>, TrustError> {
        let what = || reference.to_string();
        let fresh = || Identity::new(claims.issuer().as_str(), claims.subject().as_str());
        // Who it is and how old it is are two questions: the answer to one is none to the other.
        let successor = |known: &Identity| Identity {
            revisions: known.revisions.clone(),
            ..fresh()
        };
        let mut identity = match known {
            Some(known) => match changes(known, claims) {
                changes if changes.is_empty() => known.clone(),
                _ if self.accept_identity => successor(known),
                changes => {
                    return Err(TrustError::IdentityChanged {
                        what: what(),
                        place: place.to_owned(),
                        since: known.date(),
                        changes,
                    });
                }
            },
            None if self.pinning(reference) == Pinning::Required && !self.accept_identity => {
                return Err(TrustError::NotPinned {
                    what: what(),
                    place: place.to_owned(),
                    issuer: claims.issuer().to_string(),
                });
            }
            None => fresh(),
        };
        // Who names a digest wants exactly that, however old it is.
        if let (None, Some(tag), Some(revision)) =
            (reference.digest(), reference.tag(), claims.revision())
        {
            let before = identity.revisions.insert(tag.to_owned(), revision);
            if let Some(highest) = before.filter(|highest| revision < *highest)
                && !self.allow_downgrade
            {
                return Err(TrustError::Downgrade {
                    what: what(),
                    revision,
                    highest,
                });
            }
        }
        Ok((known != Some(&identity)).then_some(identity))
    }
}

/// How claims differ from those of whom a repository is pinned to.
fn changes(known: &Identity, claims: &VerifiedClaims) -> Vec<String> {
    let pairs = [
        ("issuer", &*known.issuer, claims.issuer().as_str()),
        ("subject", &*known.subject, claims.subject().as_str()),
    ];
    let changed = pairs.into_iter().filter(|(_, old, new)| old != new);
    changed
        .map(|(role, old, new)| format!("{role} {} -> {new}", old.escape_debug()))
        .collect()
}
