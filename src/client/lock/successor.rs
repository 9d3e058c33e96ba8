//! Comparing a new entry with the existing entries of a lock.

use crate::oci::Reference;

use super::{Lock, LockError, Locked};

impl Lock {
    /// Compares `next`, a new entry for this lock, with the existing entries. Returns an empty list if `next` may be added.
    /// Otherwise, returns a [`PublisherChanged`](LockError::PublisherChanged) for each of issuer, subject and Sigstore
    /// identity that has changed, an [`IdentityLost`](LockError::IdentityLost) and a [`Downgrade`](LockError::Downgrade), as
    /// far as they apply.
    ///
    /// Issuer, subject and identity are compared with the entry for the same reference. If there is none, they must equal
    /// those of an entry for another tag of the same repository. Revisions are compared only for the same reference.
    ///
    /// An entry without an identity may get one, but an identity may not be removed. In the identity of a workflow that runs
    /// for tags, the tag may change.
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
            // `None` is less than every `Some`: an archive without a revision counts as the oldest.
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
        // A layout may hold the manifests of many providers.
        _ => false,
    }
}
