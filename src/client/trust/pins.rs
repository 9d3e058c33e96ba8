//! Pins: the identity that published in a repository before, and the revisions that its tags had.

use crate::archive::{Rotation, VerifiedClaims};
use crate::cache::Pin;
use crate::content::Digest;
use crate::oci::{Reference, RegistryReference};

use super::rotation::follow;
use super::{Pinning, TrustError, TrustPolicy};

/// Returns the name under which a repository is pinned, as `registry/repository`. All spellings of a repository
/// have one name.
pub(crate) fn pin_name(place: &RegistryReference) -> String {
    let place = place.under_one_name();
    format!("{}/{}", place.registry(), place.repository())
}

/// An archive that is compared with a pin.
pub(in crate::client) struct Candidate<'a> {
    pub(in crate::client) reference: &'a Reference,
    pub(in crate::client) claims: &'a VerifiedClaims,
    /// The digest of its manifest.
    pub(in crate::client) digest: &'a Digest,
    /// The verified statement on its manifest.
    pub(in crate::client) rotation: Option<&'a Rotation>,
}

impl TrustPolicy {
    /// Returns the name under which the repository of `reference` is pinned. `None`: it is never pinned.
    pub(in crate::client) fn place_of(&self, reference: &Reference) -> Option<String> {
        match (reference, self.pinning_of(reference)) {
            (_, Pinning::Off) | (Reference::Layout(_), _) => None,
            (Reference::Registry(place), _) => Some(pin_name(place)),
        }
    }

    /// Compares an archive with the identity that `place` is pinned to. Returns the new identity to pin, or `None` if
    /// the pin does not change.
    pub(in crate::client) fn judge(
        &self,
        known: Option<&Pin>,
        place: &str,
        candidate: &Candidate,
    ) -> Result<Option<Pin>, TrustError> {
        let Candidate {
            reference, claims, ..
        } = candidate;
        let mut identity = match known {
            Some(known) => self.recognize(known, place, candidate)?,
            None if self.requires_pin(reference, claims) => {
                return Err(TrustError::NotPinned {
                    what: reference.to_string(),
                    place: place.to_owned(),
                    issuer: claims.issuer().to_string(),
                });
            }
            None => Pin::new(claims.issuer().as_str(), claims.subject().as_str()),
        };
        // The revision is compared for tags only. A reference with a digest asks for exactly that archive, even an old
        // one.
        if let (None, Some(tag)) = (reference.digest(), reference.tag()) {
            let revision = claims.revision();
            let highest = match revision {
                Some(revision) => identity.revisions.insert(tag.to_owned(), revision),
                None => identity.revisions.remove(tag),
            };
            // An archive without a revision counts as lower than any revision, and `None` compares as less than `Some`.
            if let Some(highest) = highest.filter(|highest| revision < Some(*highest))
                && !self.allow_downgrade
            {
                return Err(TrustError::Downgrade {
                    what: reference.to_string(),
                    revision,
                    highest,
                });
            }
        }
        identity.note_use(candidate.digest);
        Ok((known != Some(&identity)).then_some(identity))
    }

    /// Returns whether the publisher of a repository without a pin has to be accepted first. A rule that lists the
    /// issuer counts as acceptance, unless the rule itself demands a pin.
    fn requires_pin(&self, reference: &Reference, claims: &VerifiedClaims) -> bool {
        let rule = self.rule(reference);
        let accepted = rule.is_some_and(|rule| {
            rule.pinning.is_none() && lists(&rule.issuers, claims.issuer().as_str())
        });
        self.pinning_of(reference) == Pinning::Required && !self.accept_identity && !accepted
    }

    /// Returns the new pin if the present pin, a rotation statement, a rule or the caller allows the publisher.
    fn recognize(
        &self,
        known: &Pin,
        place: &str,
        candidate: &Candidate,
    ) -> Result<Pin, TrustError> {
        let Candidate {
            reference, claims, ..
        } = candidate;
        let (issuer, subject) = (claims.issuer().as_str(), claims.subject().as_str());
        // A rotation statement of a revoked account does not count.
        let statement = candidate
            .rotation
            .filter(|statement| !lists(&self.revoked, statement.from().as_str()));
        let followed = statement.and_then(|statement| follow(known, claims, statement));
        let known = followed.as_ref().unwrap_or(known);

        let rule = self.rule(reference);
        let by_rule = |keys: fn(&super::Rule) -> &[String], key: &str| {
            rule.is_some_and(|rule| lists(keys(rule), key))
        };
        let used = known.digests.contains(candidate.digest);
        let former = known.former.contains_key(issuer);
        let issuer_allowed = known.allows_issuer(issuer)
            || (former && used)
            || by_rule(|rule| &rule.issuers, issuer);
        let subject_allowed = known.subject == subject || by_rule(|rule| &rule.subjects, subject);
        if issuer_allowed && subject_allowed {
            return Ok(known.clone());
        }
        if self.accept_identity {
            // The revisions stay: the caller has accepted another identity, and not an older archive.
            return Ok(Pin {
                revisions: known.revisions.clone(),
                ..Pin::new(issuer, subject)
            });
        }
        if former && subject_allowed {
            return Err(TrustError::Retired {
                what: reference.to_string(),
                place: place.to_owned(),
                issuer: issuer.to_owned(),
                successor: known.issuer.escape_debug().to_string(),
            });
        }
        let pairs = [
            ("issuer", &*known.issuer, issuer, issuer_allowed),
            ("subject", &*known.subject, subject, subject_allowed),
        ];
        let changed = pairs.into_iter().filter(|(.., allowed)| !allowed);
        Err(TrustError::IdentityChanged {
            what: reference.to_string(),
            place: place.to_owned(),
            since: known.since,
            changes: changed
                .map(|(role, old, new, _)| format!("{role} {} -> {new}", old.escape_debug()))
                .collect(),
        })
    }
}

fn lists(keys: &[String], key: &str) -> bool {
    keys.iter().any(|listed| listed == key)
}
