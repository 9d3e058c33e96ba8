//! Whether an archive may take the place of what a lock has: identity and revision change only when that is said.

use crate::oci::Reference;

use super::{Lock, LockError, Locked};

impl Lock {
    /// Compares `next`, a new entry for this lock, with what the lock has. Returns a
    /// [`PublisherChanged`](LockError::PublisherChanged) for the issuer, for the subject and for the Sigstore identity, an
    /// [`IdentityLost`](LockError::IdentityLost), and a [`Downgrade`](LockError::Downgrade), as far as they apply. Empty: `next` may be locked.
    ///
    /// An entry without an identity may get one, and one that has an identity keeps it. Of the identity of a workflow that
    /// runs for tags, the tag may change. Issuer, subject and identity are compared with those of the entry for the same
    /// reference. Without one, they are compared with the entries for other tags of the same repository, and have to be
    /// those of one of them. Revisions are compared for the same reference only.
    #[must_use]
    pub fn objections(&self, next: &Locked) -> Vec<LockError> {
        let same = self.providers.get(&next.reference.to_string());
        let known: Vec<&Locked> = match same {
            Some(locked) => vec![locked],
            None => {
                let others = self.iter();
                others
                    .filter(|locked| is_one_repository(&locked.reference, &next.reference))
                    .collect()
            }
        };
        let mut objections = Vec::new();
        let is_known =
            |locked: &&Locked| locked.issuer == next.issuer && locked.subject == next.subject;
        let keeps_identity = |locked: &&Locked| match (&locked.identity, &next.identity) {
            (Some(locked), Some(next)) => locked.continues_as(next),
            (Some(_), None) => false,
            (None, _) => true,
        };
        if let Some(last) = known.last()
            && !known.iter().any(is_known)
        {
            objections.extend(changed(next, "issuer", &last.issuer, &next.issuer));
            objections.extend(changed(next, "subject", &last.subject, &next.subject));
        }
        // The entry of another publisher or provider, which has no identity, does not stand for this one.
        let mut own: Vec<&Locked> = known.iter().copied().filter(is_known).collect();
        if own.is_empty() {
            own = known;
        }
        if let Some(last) = own.last()
            && let Some(identity) = &last.identity
            && !own.iter().any(keeps_identity)
        {
            let locked = identity.to_string();
            match &next.identity {
                Some(actual) => {
                    objections.extend(changed(next, "identity", &locked, &actual.to_string()));
                }
                None => objections.push(LockError::IdentityLost {
                    reference: next.reference.to_string(),
                    locked,
                }),
            }
        }
        if let Some(locked) = same.and_then(|locked| locked.revision)
            // No revision is less than any.
            && next.revision < Some(locked)
        {
            objections.push(LockError::Downgrade {
                reference: next.reference.to_string(),
                locked,
                actual: next.revision,
            });
        }
        objections
    }

    /// Returns this lock with `next` in place of its entry for the same reference.
    #[must_use]
    pub fn with(mut self, next: Locked) -> Self {
        self.providers.insert(next.reference.to_string(), next);
        self
    }
}

fn changed(next: &Locked, role: &'static str, locked: &str, actual: &str) -> Option<LockError> {
    (locked != actual).then(|| LockError::PublisherChanged {
        reference: next.reference.to_string(),
        role,
        locked: locked.escape_debug().to_string(),
        actual: actual.to_owned(),
    })
}

/// Whether two references are in one repository of a registry.
fn is_one_repository(one: &Reference, other: &Reference) -> bool {
    match (one, other) {
        (Reference::Registry(one), Reference::Registry(other)) => {
            (one.registry(), one.repository()) == (other.registry(), other.repository())
        }
        // The manifests of a layout may be those of many providers.
        _ => false,
    }
}
