//! Deployments that are pinned to digests, issuers and subjects.
//!
//! A [`Lock`] is the content of a lock file. [`Client::lock`](super::Client::lock) makes one. A client
//! [with a lock](super::Client::with_lock) uses only the references in the lock, by the locked digests, and
//! compares issuer, subject and revision with the locked ones. If an entry has a Sigstore identity, that identity must
//! have signed the manifest. The trust policy and the pins apply as well.

mod error;
mod file;
mod identity;
mod successor;
#[cfg(test)]
#[path = "tests/lock.rs"]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::archive::VerifiedClaims;
use crate::content::Digest;
use crate::oci::Reference;

pub use error::LockError;
pub use identity::{LockedIdentity, LockedRoot};

/// A deployment in which each reference is pinned to a digest, an issuer and a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The entries by reference as text, so that their order is always the same.
    providers: BTreeMap<String, Locked>,
}

/// An entry of a [`Lock`]: a reference with its locked digest, issuer and subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The reference that is deployed.
    #[serde(
        serialize_with = "file::serialize",
        deserialize_with = "file::deserialize"
    )]
    pub reference: Reference,
    /// The digest of the manifest, or of the image index, that the reference named when it was locked.
    pub digest: Digest,
    /// The issuer of the archive (`A…`).
    pub issuer: String,
    /// The subject of the archive (`V…`).
    pub subject: String,
    /// The version in the claims of the archive. It is for people and is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The revision in the claims of the archive. `None`: any revision is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i32>,
    /// The Sigstore identity that must have signed the manifest. `None`: only the trust policy decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<LockedIdentity>,
}

impl Lock {
    /// Returns the entries, sorted by reference.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Locked> {
        self.providers.values()
    }

    /// Returns the entry whose reference equals `reference`, or else an entry with the repository and the digest of
    /// `reference`, one with a Sigstore identity if there is one. A reference to a registry with neither a tag nor a digest means the tag `latest`.
    #[must_use]
    pub fn find(&self, reference: &Reference) -> Option<&Locked> {
        let latest = match (reference, reference.name()) {
            (Reference::Registry(_), None) => reference.with_tag("latest").ok(),
            _ => None,
        };
        let written = latest.as_ref().unwrap_or(reference).to_string();
        self.providers.get(&written).or_else(|| {
            let digest = reference.digest()?;
            let pinned = reference.pinned(digest);
            // Several tags may be locked to one digest. An entry without an identity demands less than the others.
            self.iter()
                .filter(|locked| locked.digest == *digest && locked.pinned() == pinned)
                .reduce(|one, other| if one.identity.is_some() { one } else { other })
        })
    }

    /// Returns the reference with the locked digest of `reference`.
    ///
    /// # Errors
    ///
    /// [`LockError::NotLocked`].
    pub fn pinned(&self, reference: &Reference) -> Result<Reference, LockError> {
        Ok(reference.with_digest(self.demand(reference)?.digest.clone()))
    }

    /// Compares issuer, subject and revision in `claims` with the locked ones of `reference`.
    pub(crate) fn check(
        &self,
        reference: &Reference,
        claims: &VerifiedClaims,
    ) -> Result<(), LockError> {
        let locked = self.demand(reference)?;
        let pairs = [
            ("issuer", &*locked.issuer, claims.issuer().as_str()),
            ("subject", &*locked.subject, claims.subject().as_str()),
        ];
        let mut pairs = pairs.into_iter();
        if let Some((role, locked, actual)) = pairs.find(|(_, locked, actual)| locked != actual) {
            return Err(LockError::OtherPublisher {
                reference: reference.to_string(),
                role,
                locked: locked.escape_debug().to_string(),
                actual: actual.to_owned(),
            });
        }
        let actual = claims.revision();
        match locked.revision {
            Some(locked) if actual != Some(locked) => Err(LockError::OtherRevision {
                reference: reference.to_string(),
                locked,
                actual,
            }),
            _ => Ok(()),
        }
    }

    /// Returns the Sigstore identity that is locked for `reference`.
    pub(in crate::client) fn identity(&self, reference: &Reference) -> Option<&LockedIdentity> {
        self.find(reference)?.identity.as_ref()
    }

    /// Returns the Sigstore identity in the entry whose reference equals `reference` as text.
    pub(in crate::client) fn known_identity(
        &self,
        reference: &Reference,
    ) -> Option<&LockedIdentity> {
        self.providers
            .get(&reference.to_string())?
            .identity
            .as_ref()
    }

    fn demand(&self, reference: &Reference) -> Result<&Locked, LockError> {
        self.find(reference).ok_or_else(|| LockError::NotLocked {
            reference: reference.to_string(),
        })
    }
}

impl FromIterator<Locked> for Lock {
    fn from_iter<I: IntoIterator<Item = Locked>>(providers: I) -> Self {
        let entry = |locked: Locked| (locked.reference.to_string(), locked);
        let providers = providers.into_iter().map(entry).collect();
        Self { providers }
    }
}

impl Locked {
    /// Returns the reference with its locked digest, as text.
    #[must_use]
    pub fn pinned(&self) -> String {
        self.reference.pinned(&self.digest)
    }
}
