//! Following rotation statements: an account that a host trusts hands over to another one.

use crate::archive::{Rotation, VerifiedClaims};
use crate::cache::{FormerIssuer, Pin};

/// Returns the pin after a statement on the manifest of an archive with these claims. `None`: the pin does not
/// follow the statement.
///
/// Only an account that the pin allows without restriction can hand over. Otherwise anybody could write a statement. A
/// statement that is older than the newest one that was followed is ignored, so that old manifests do not undo later
/// statements.
pub(super) fn follow(known: &Pin, claims: &VerifiedClaims, statement: &Rotation) -> Option<Pin> {
    let (from, to) = (statement.from().as_str(), statement.to().as_str());
    let allowed = known.allows_issuer(from)
        && statement.fits(claims)
        && known.subject == claims.subject().as_str()
        && known
            .rotated
            .is_none_or(|newest| newest <= statement.date());
    if !allowed {
        return None;
    }
    let mut identity = known.clone();
    identity.former.remove(to);
    if known.issuer != to {
        let former = FormerIssuer::active();
        identity.former.insert(known.issuer.clone(), former);
        to.clone_into(&mut identity.issuer);
    }
    if statement.retires() {
        identity.former.entry(from.to_owned()).or_default().retired = true;
    }
    identity.rotated = Some(statement.date());
    Some(identity)
}

#[cfg(test)]
#[path = "tests/rotation.rs"]
mod tests;
