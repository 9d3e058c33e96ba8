//! Signing: making a token of metadata and the hashes of an archive.

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
use crate::archive::time::to_unix;
use crate::content::Digest;

const HEADER: &str = r#"{"typ":"jwt","alg":"Ed25519"}"#;

/// The issuer and the subject of an archive that is going to be signed.
///
/// Signing needs the seed of the issuer, but only the public key of the subject. So a provider keeps its
/// identity where its seed is absent.
#[derive(Debug, Clone)]
pub struct Signer {
    key: Key,
    issuer: Issuer,
    subject: Subject,
    created: Option<SystemTime>,
}

impl Signer {
    /// Creates a signer from the key of the issuer and the public key of
    /// the subject.
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

    /// Signs with `created` as the time of signing, and with an id that is derived from the signed claims:
    /// the same inputs and keys give the same archive, byte for byte.
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

    /// Returns claims without the hashes of the executables. Their id and dates do not change any more.
    pub(super) fn draft(&self, metadata: &Metadata, world: Option<Digest>) -> Draft<'_> {
        let mut claims = Claims::<CapabilityProvider>::with_provider(
            self.issuer.to_string(),
            self.subject.to_string(),
            metadata.not_before.map(to_unix),
            metadata.expires.map(to_unix),
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
            claims.issued_at = to_unix(created);
        }
        Draft {
            key: &self.key,
            claims,
            world,
            derive_id: self.created.is_some(),
        }
    }
}

/// Claims that still lack the hashes of the executables.
pub(super) struct Draft<'a> {
    key: &'a Key,
    claims: Claims<CapabilityProvider>,
    world: Option<Digest>,
    /// Whether the id is derived from the rest of the claims, or random.
    derive_id: bool,
}

impl Draft<'_> {
    /// Signs claims over `executables` and the world, and verifies the token. The claims may become valid
    /// later. Tokens over the same targets have the same length.
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

/// Returns the claims with every object in the order of its keys, also in a program that switches the
/// feature `preserve_order` of `serde_json` on.
fn sorted(claims: &impl Serialize) -> Result<Value, Error> {
    let claims = serde_json::to_value(claims);
    let mut claims = claims.map_err(|source| Error::Encode(source.into()))?;
    claims.sort_all_objects();
    Ok(claims)
}

/// Returns a hash as claims write it: upper case, without the algorithm.
fn claimed(digest: &Digest) -> String {
    digest.hex().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use crate::archive::keys::{Key, KeyKind};
    use crate::archive::time::from_unix;

    use super::*;

    fn signer() -> Signer {
        let subject = Key::generate(KeyKind::Service).public_key();
        Signer::new(Key::generate(KeyKind::Account), subject.parse().unwrap()).unwrap()
    }

    fn executables() -> BTreeMap<Target, Digest> {
        ["x86_64-linux", "aarch64-macos"]
            .into_iter()
            .map(|name| (name.parse().unwrap(), Digest::of(name.as_bytes())))
            .collect()
    }

    #[test]
    fn signing_gives_verified_claims() {
        let signer = signer();
        let metadata = Metadata {
            name: Some("Provider".to_owned()),
            vendor: "Vendor".to_owned(),
            revision: Some(3),
            version: Some("1.2.3".to_owned()),
            schema: Some(serde_json::json!({"type": "object"})),
            ..Metadata::default()
        };
        let world = Digest::of(b"world");
        let claims = signer
            .draft(&metadata, Some(world.clone()))
            .sign(&executables())
            .unwrap();
        assert_eq!(claims.issuer(), signer.issuer());
        assert_eq!(claims.subject(), signer.subject());
        assert_eq!(claims.metadata(), metadata);
        assert_eq!(claims.executables(), &executables());
        assert_eq!(claims.world(), Some(&world));
    }

    #[test]
    fn the_length_of_a_token_does_not_depend_on_the_hashes() {
        let signer = signer();
        let draft = signer.draft(&Metadata::default(), None);
        let first = draft.sign(&executables()).unwrap();
        let others = executables()
            .into_keys()
            .map(|target| (target, Digest::of(b"other")));
        let second = draft.sign(&others.collect()).unwrap();
        assert_ne!(first.token(), second.token());
        assert_eq!(first.token().len(), second.token().len());
    }

    #[test]
    fn a_payload_that_was_changed_has_a_bad_signature() {
        let claims = signer()
            .draft(&Metadata::default(), None)
            .sign(&executables())
            .unwrap();
        let parts: Vec<&str> = claims.token().split('.').collect();
        let payload = BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap();
        let changed = String::from_utf8(payload)
            .unwrap()
            .replace(r#""vendor":"""#, r#""vendor":"Evil""#);
        let token = format!(
            "{}.{}.{}",
            parts[0],
            BASE64URL_NOPAD.encode(changed.as_bytes()),
            parts[2]
        );
        let error = UnverifiedClaims::decode(&token).unwrap().verify();
        assert!(
            matches!(error, Err(Error::BadSignature { .. })),
            "{error:?}"
        );
    }

    #[test]
    fn the_same_claims_at_the_same_time_give_the_same_token() {
        let signer = signer();
        let token = |signer: &Signer, metadata: &Metadata| {
            let draft = signer.draft(metadata, None);
            draft.sign(&executables()).unwrap().token().to_owned()
        };
        let metadata = Metadata::default();
        assert_ne!(token(&signer, &metadata), token(&signer, &metadata));
        let signer = signer.at(from_unix(1_700_000_000));
        assert_eq!(token(&signer, &metadata), token(&signer, &metadata));
        let other = Metadata {
            revision: Some(2),
            ..Metadata::default()
        };
        assert_ne!(token(&signer, &metadata), token(&signer, &other));
    }

    #[test]
    fn keys_of_other_types_cannot_sign() {
        let subject: Subject = Key::generate(KeyKind::Service)
            .public_key()
            .parse()
            .unwrap();
        assert!(matches!(
            Signer::new(Key::generate(KeyKind::Service), subject),
            Err(Error::WrongKeyType { role: "issuer", .. })
        ));
        assert!(matches!(
            Key::generate(KeyKind::Account)
                .public_key()
                .parse::<Subject>(),
            Err(Error::WrongKeyType {
                role: "subject",
                ..
            })
        ));
    }

    #[test]
    fn the_same_claims_are_encoded_in_the_same_order() {
        let claims = signer()
            .draft(&Metadata::default(), None)
            .sign(&executables())
            .unwrap();
        let payload = claims.token().split('.').nth(1).unwrap();
        let text = String::from_utf8(BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap();
        assert!(text.find("aarch64-macos").unwrap() < text.find("x86_64-linux").unwrap());
    }
}
