//! Signing: making a token from the metadata and the hashes of an archive.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::Value;
use wascap::jwt::{CapabilityProvider, Claims};

use crate::archive::claims::{Metadata, UnverifiedClaims, VerifiedClaims};
use crate::archive::entry_names::WORLD_ENTRY;
use crate::archive::error::Error;
use crate::archive::keys::{Issuer, Key, Subject};
use crate::archive::target::Target;
use crate::archive::token::HEADER;
use crate::content::{Digest, unix_seconds};

/// The issuer and the subject of an archive that is going to be signed.
///
/// Signing needs the seed of the issuer, but only the public key of the subject. So a provider can keep its
/// identity on a machine that does not have its seed.
#[derive(Debug, Clone)]
pub struct Signer {
    key: Key,
    issuer: Issuer,
    subject: Subject,
    created: Option<SystemTime>,
}

impl Signer {
    /// Creates a signer from the key of the issuer and the public key of the subject.
    ///
    /// # Errors
    ///
    /// [`Error::WrongKeyType`] when the issuer is not an account.
    pub fn new(key: Key, subject: Subject) -> Result<Self, Error> {
        Ok(Self {
            issuer: key.public_key().parse()?,
            key,
            subject,
            created: None,
        })
    }

    /// Signs with `created` as the time of signing, and with an id that is derived from the signed claims. Then the
    /// same inputs and keys give the same archive, byte for byte.
    #[must_use]
    pub fn at(self, created: SystemTime) -> Self {
        Self {
            created: Some(created),
            ..self
        }
    }

    /// Returns the public key of the issuer.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Returns the public key of the subject.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Returns claims without the hashes of the executables. Their dates are set.
    pub(super) fn draft(&self, metadata: &Metadata, world: Option<Digest>) -> Draft<'_> {
        let mut claims = Claims::<CapabilityProvider>::with_provider(
            self.issuer.to_string(),
            self.subject.to_string(),
            metadata.not_before.map(unix_seconds),
            metadata.expires.map(unix_seconds),
            CapabilityProvider {
                name: metadata.name.clone(),
                vendor: metadata.vendor.clone(),
                rev: metadata.revision,
                ver: metadata.version.clone(),
                target_hashes: HashMap::new(),
                config_schema: metadata.schema.clone(),
            },
        );
        if let Some(created) = self.created {
            claims.issued_at = unix_seconds(created);
        }
        Draft {
            key: &self.key,
            claims,
            world,
            derive_id: self.created.is_some(),
        }
    }
}

/// Claims without the hashes of the executables.
pub(super) struct Draft<'a> {
    key: &'a Key,
    claims: Claims<CapabilityProvider>,
    world: Option<Digest>,
    /// Whether the id is derived from the rest of the claims, or random.
    derive_id: bool,
}

impl Draft<'_> {
    /// Signs claims with the hashes of `executables` and of the world, and verifies the token. The claims may become
    /// valid later. Tokens for the same targets have the same length.
    pub(super) fn sign(
        &self,
        executables: &BTreeMap<Target, Digest>,
    ) -> Result<VerifiedClaims, Error> {
        let mut claims = self.claims.clone();
        if let Some(provider) = &mut claims.metadata {
            let executables = executables
                .iter()
                .map(|(target, digest)| (target.to_string(), claimed(digest)));
            let world = self
                .world
                .iter()
                .map(|digest| (WORLD_ENTRY.to_owned(), claimed(digest)));
            provider.target_hashes = executables.chain(world).collect();
        }
        if self.derive_id {
            claims.id = String::new();
            let rest = sorted(&claims)?;
            claims.id = Digest::of(rest.to_string().as_bytes()).hex().to_owned();
        }
        // `Claims::encode` would write the map of hashes in random order.
        let payload = sorted(&claims)?;
        let signed = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(HEADER.as_bytes()),
            BASE64URL_NOPAD.encode(payload.to_string().as_bytes()),
        );
        let signature = self.key.sign(signed.as_bytes())?;
        let token = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature));
        UnverifiedClaims::decode(&token)?.verify_undated()
    }
}

/// Returns the claims with the keys of every object in alphabetical order, even when a program enables the feature
/// `preserve_order` of `serde_json`.
fn sorted(claims: &impl Serialize) -> Result<Value, Error> {
    let claims = serde_json::to_value(claims);
    let mut claims = claims.map_err(|source| Error::Encode(source.into()))?;
    claims.sort_all_objects();
    Ok(claims)
}

/// Returns a hash in the form of the claims: in upper case, without the algorithm.
fn claimed(digest: &Digest) -> String {
    digest.hex().to_ascii_uppercase()
}

#[cfg(test)]
#[path = "tests/signer.rs"]
mod tests;
