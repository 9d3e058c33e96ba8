//! Pins: who published before, and what a tag had before.

use crate::archive::VerifiedClaims;
use crate::cache::Identity;
use crate::oci::{Reference, RegistryReference};

use super::{Pinning, TrustError, TrustPolicy};

/// The name under which a repository is pinned: the same one, however it is written.
#[must_use]
pub fn pin_name(place: &RegistryReference) -> String {
    let place = place.under_one_name();
    format!("{}/{}", place.registry(), place.repository())
}

impl TrustPolicy {
    /// The name under which the repository of `reference` is pinned, if it is to be.
    pub(in crate::client) fn place_of(&self, reference: &Reference) -> Option<String> {
        match (reference, self.pinning(reference)) {
            (_, Pinning::Off) | (Reference::Layout(_), _) => None,
            (Reference::Registry(place), _) => Some(pin_name(place)),
        }
    }

    /// Compares claims with what is `known` of `place`. Gives what should be known from now on, when that
    /// is something else.
    pub(in crate::client) fn judge(
        &self,
        known: Option<&Identity>,
        place: &str,
        reference: &Reference,
        claims: &VerifiedClaims,
    ) -> Result<Option<Identity>, TrustError> {
        let what = || reference.to_string();
        let fresh = || Identity::new(claims.issuer(), claims.subject());
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
                    issuer: claims.issuer().to_owned(),
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

/// How claims differ from those of whom a repository is pinned to.
fn changes(known: &Identity, claims: &VerifiedClaims) -> Vec<String> {
    let pairs = [
        ("issuer", &*known.issuer, claims.issuer()),
        ("subject", &*known.subject, claims.subject()),
    ];
    let changed = pairs.into_iter().filter(|(_, old, new)| old != new);
    changed
        .map(|(role, old, new)| format!("{role} {} -> {new}", old.escape_debug()))
        .collect()
}
