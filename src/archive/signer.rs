//! Signing: from what a publisher says and what an archive holds to a token.

use std::collections::{BTreeMap, HashMap};

use data_encoding::BASE64URL_NOPAD;
use nkeys::{KeyPair, KeyPairType};
use serde::Serialize;
use serde_json::Value;
use wascap::jwt::{CapabilityProvider, Claims};

use crate::content::Digest;

use super::WORLD_ENTRY;
use super::claims::{Metadata, UnverifiedClaims, VerifiedClaims, require_key};
use super::error::Error;
use super::target::Target;

const HEADER: &str = r#"{"typ":"jwt","alg":"Ed25519"}"#;

/// Who signs an archive, and which provider it is.
///
/// Signing needs the issuer's seed, but only the public key of the subject: a provider keeps its
/// identity without its seed being around.
#[derive(Debug, Clone)]
pub struct Signer {
    issuer: KeyPair,
    subject: String,
    created: Option<u64>,
}

impl Signer {
    /// A signer from the issuer's key pair, which must hold its seed, and the subject's public key.
    ///
    /// # Errors
    ///
    /// [`Error::WrongKeyType`] when the issuer is no account or the subject no service.
    pub fn new(issuer: KeyPair, subject: &str) -> Result<Self, Error> {
        require_key("issuer", &issuer.public_key(), KeyPairType::Account)?;
        require_key("subject", subject, KeyPairType::Service)?;
        Ok(Self {
            issuer,
            subject: subject.to_owned(),
            created: None,
        })
    }

    /// Signs as if it was `created`, in seconds since 1970, under an id that is derived from what is
    /// signed: the same inputs and keys give the same archive, byte for byte.
    #[must_use]
    pub fn at(self, created: u64) -> Self {
        Self {
            created: Some(created),
            ..self
        }
    }

    /// The issuer's public key.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.issuer.public_key()
    }

    /// The subject's public key.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Claims without the hashes of the executables. Their id and dates are fixed from here on.
    pub(super) fn draft(&self, metadata: &Metadata, world: Option<Digest>) -> Draft<'_> {
        let mut claims = Claims::<CapabilityProvider>::with_provider(
            self.issuer.public_key(),
            self.subject.clone(),
            metadata.not_before,
            metadata.expires,
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
            claims.issued_at = created;
        }
        Draft {
            issuer: &self.issuer,
            claims,
            world,
            derive_id: self.created.is_some(),
        }
    }
}

/// Claims that still lack the hashes of the executables.
pub(super) struct Draft<'a> {
    issuer: &'a KeyPair,
    claims: Claims<CapabilityProvider>,
    world: Option<Digest>,
    /// Whether the id is derived from the rest of the claims, or random.
    derive_id: bool,
}

impl Draft<'_> {
    /// Signs claims over `executables` and the world, and verifies what came of it, but for the dates:
    /// they may begin later. For the same targets, tokens have the same length.
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
        // Not `Claims::encode`: its map of hashes comes out in random order.
        let payload = sorted(&claims)?;
        let signed = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(HEADER.as_bytes()),
            BASE64URL_NOPAD.encode(payload.to_string().as_bytes()),
        );
        let signature = self.issuer.sign(signed.as_bytes()).map_err(Error::Sign)?;
        let token = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature));
        UnverifiedClaims::decode(&token)?.verify_undated()
    }
}

/// The claims with every object in the order of its keys, whatever features of `serde_json` a program has
/// switched on.
fn sorted(claims: &impl Serialize) -> Result<Value, Error> {
    let mut claims = serde_json::to_value(claims).map_err(Error::Encode)?;
    claims.sort_all_objects();
    Ok(claims)
}

/// The form that claims write a hash in: upper case, no algorithm.
fn claimed(digest: &Digest) -> String {
    digest.hex().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new(KeyPair::new_account(), &KeyPair::new_service().public_key()).unwrap()
    }

    fn executables() -> BTreeMap<Target, Digest> {
        ["x86_64-linux", "aarch64-macos"]
            .into_iter()
            .map(|name| (name.parse().unwrap(), Digest::of(name.as_bytes())))
            .collect()
    }

    #[test]
    fn what_is_signed_comes_back_verified() {
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
    fn at_the_same_time_the_same_claims_give_the_same_token() {
        let signer = signer();
        let token = |signer: &Signer, metadata: &Metadata| {
            let draft = signer.draft(metadata, None);
            draft.sign(&executables()).unwrap().token().to_owned()
        };
        let metadata = Metadata::default();
        assert_ne!(token(&signer, &metadata), token(&signer, &metadata));
        let signer = signer.at(1_700_000_000);
        assert_eq!(token(&signer, &metadata), token(&signer, &metadata));
        let other = Metadata {
            revision: Some(2),
            ..Metadata::default()
        };
        assert_ne!(token(&signer, &metadata), token(&signer, &other));
    }

    #[test]
    fn keys_of_other_types_cannot_sign() {
        let service = KeyPair::new_service();
        assert!(matches!(
            Signer::new(KeyPair::new_user(), &service.public_key()),
            Err(Error::WrongKeyType { role: "issuer", .. })
        ));
        assert!(matches!(
            Signer::new(KeyPair::new_account(), &KeyPair::new_module().public_key()),
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
