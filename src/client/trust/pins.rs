//! Pins: the identity that published in a repository before, and the revisions that its tags had.

use crate::archive::VerifiedClaims;
use crate::cache::Identity;
use crate::oci::{Reference, RegistryReference};

use super::{Pinning, TrustError, TrustPolicy};

/// Returns the name under which a repository is pinned, as `registry/repository`. All spellings of a repository
/// have one name.
pub(crate) fn pin_name(place: &RegistryReference) -> String {
    let place = place.under_one_name();
    format!("{}/{}", place.registry(), place.repository())
}

impl TrustPolicy {
    /// Returns the name under which the repository of `reference` is pinned. `None`: it is never pinned.
    pub(in crate::client) fn place_of(&self, reference: &Reference) -> Option<String> {
        match (reference, self.pinning_of(reference)) {
            (_, Pinning::Off) | (Reference::Layout(_), _) => None,
            (Reference::Registry(place), _) => Some(pin_name(place)),
        }
    }

    /// Compares claims with the identity that `place` is pinned to. Returns the identity to pin from now on, if
    /// that is another one.
    pub(in crate::client) fn judge(
        &self,
        known: Option<&Identity>,
        place: &str,
        reference: &Reference,
        claims: &VerifiedClaims,
    ) -> Result<Option<Identity>, TrustError> {
        let what = || reference.to_string();
        let fresh = || Identity::new(claims.issuer().as_str(), claims.subject().as_str());
        // To accept another identity is not to accept an older archive: the revisions stay.
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
                        since: known.since,
                        changes,
                    });
                }
            },
            None if self.pinning_of(reference) == Pinning::Required && !self.accept_identity => {
                return Err(TrustError::NotPinned {
                    what: what(),
                    place: place.to_owned(),
                    issuer: claims.issuer().to_string(),
                });
            }
            None => fresh(),
        };
        // A reference with a digest asks for exactly that archive, however old it is.
        if let (None, Some(tag)) = (reference.digest(), reference.tag()) {
            let revision = claims.revision();
            let highest = match revision {
                Some(revision) => identity.revisions.insert(tag.to_owned(), revision),
                None => identity.revisions.remove(tag),
            };
            // No revision is less than any.
            if let Some(highest) = highest.filter(|highest| revision < Some(*highest))
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

/// Returns how the issuer and the subject of claims differ from the pinned ones, for an error message.
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
