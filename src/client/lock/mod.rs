//! Deployments that are pinned to digests, issuers and subjects.
//!
//! A [`Lock`] is what a lock file says. [`Client::lock`] finds out what belongs into one, and a client
//! [with a lock](Client::with_lock) uses nothing else: what it is asked for is looked up, taken by its
//! digest, and compared with the publisher and the revision that are locked. The trust policy and the
//! pins hold besides.

mod error;
mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::archive::VerifiedClaims;
use crate::content::Digest;
use crate::oci::Reference;

pub use error::LockError;

/// What a deployment is pinned to: each reference to a digest, an issuer and a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// By the reference as text, so that they are always in the same order.
    providers: BTreeMap<String, Locked>,
}

/// One reference of a [`Lock`], and what it is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// What is deployed.
    #[serde(with = "file::as_text")]
    pub reference: Reference,
    /// The digest of the manifest, or of the image index, that the reference stood for.
    pub digest: Digest,
    /// The public key of the account that signed it.
    pub issuer: String,
    /// The public key of the provider.
    pub subject: String,
    /// The version that the archive says it has. For people: nothing depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The revision that the archive says it has. `None` demands nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i32>,
}

impl Lock {
    /// What is locked, sorted by reference.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Locked> {
        self.providers.values()
    }

    /// What `reference` is pinned to: as it is written in the lock, or by a digest that is locked for
    /// the same repository. No tag at all means `latest`.
    #[must_use]
    pub fn find(&self, reference: &Reference) -> Option<&Locked> {
        let latest = match reference.name() {
            None => reference.with_tag("latest").ok(),
            Some(_) => None,
        };
        let written = latest.as_ref().unwrap_or(reference).to_string();
        self.providers.get(&written).or_else(|| {
            let digest = reference.digest()?;
            let pinned = reference.pinned(digest);
            self.iter()
                .find(|locked| locked.digest == *digest && locked.pinned() == pinned)
        })
    }

    /// The reference to use for `reference`: the same place at the digest that is locked.
    ///
    /// # Errors
    ///
    /// [`LockError::NotLocked`].
    pub fn pinned(&self, reference: &Reference) -> Result<Reference, LockError> {
        let locked = self.demand(reference)?;
        Ok(reference.with_digest(locked.digest.clone()))
    }

    /// Compares the publisher and the revision of what `reference` stands for with those that are locked.
    ///
    /// # Errors
    ///
    /// [`LockError::NotLocked`], [`LockError::OtherPublisher`] and [`LockError::OtherRevision`].
    pub fn check(&self, reference: &Reference, claims: &VerifiedClaims) -> Result<(), LockError> {
        let locked = self.demand(reference)?;
        let pairs = [
            ("issuer", &*locked.issuer, claims.issuer()),
            ("subject", &*locked.subject, claims.subject()),
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
        match locked.revision {
            Some(revision) if claims.revision() != Some(revision) => {
                Err(LockError::OtherRevision {
                    reference: reference.to_string(),
                    locked: revision,
                    actual: claims.revision(),
                })
            }
            _ => Ok(()),
        }
    }

    fn demand(&self, reference: &Reference) -> Result<&Locked, LockError> {
        self.find(reference).ok_or_else(|| LockError::NotLocked {
            reference: reference.to_string(),
        })
    }
}

impl FromIterator<Locked> for Lock {
    fn from_iter<I: IntoIterator<Item = Locked>>(providers: I) -> Self {
        let providers = providers.into_iter();
        Self {
            providers: providers
                .map(|locked| (locked.reference.to_string(), locked))
                .collect(),
        }
    }
}

impl Locked {
    /// The reference at the digest that is locked, as text.
    #[must_use]
    pub fn pinned(&self) -> String {
        self.reference.pinned(&self.digest)
    }
}
