//! Claims: who published an archive, which provider it is, and what it holds.

use std::collections::{BTreeMap, HashMap};

use data_encoding::BASE64URL_NOPAD;
use nkeys::{KeyPair, KeyPairType};
use wascap::jwt::{CapabilityProvider, Claims, Token, validate_token};

use crate::content::{Algorithm, Digest};

use super::error::Error;
use super::target::Target;
use super::{CLAIMS_ENTRY, WORLD_ENTRY};

const HEADER: &str = r#"{"typ":"jwt","alg":"Ed25519"}"#;

/// What the publisher says about a provider, besides the hashes of its executables.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// The provider's name, for people.
    pub name: Option<String>,
    /// Who makes the provider, for people.
    pub vendor: String,
    /// A number that grows from release to release.
    pub revision: Option<i32>,
    /// The version, free text.
    pub version: Option<String>,
    /// A JSON schema of the provider's configuration.
    pub schema: Option<serde_json::Value>,
    /// From when the archive is valid, in seconds since 1970. `None`: at once.
    pub not_before: Option<u64>,
    /// Until when the archive is valid, in seconds since 1970. `None`: for ever.
    pub expires: Option<u64>,
}

/// A token that has been decoded and not verified: good for nothing but [`verify`](Self::verify).
#[derive(Debug, Clone)]
pub struct UnverifiedClaims {
    token: String,
    claims: Claims<CapabilityProvider>,
}

impl UnverifiedClaims {
    /// Decodes a token. White space around it is ignored: tools that write a line end exist.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedClaims`] when the text is not a token of a provider.
    pub fn decode(token: &str) -> Result<Self, Error> {
        let token = token.trim();
        let claims = Claims::<CapabilityProvider>::decode(token).map_err(|source| {
            Error::MalformedClaims {
                reason: "the token cannot be decoded".to_owned(),
                source: Some(source),
            }
        })?;
        Ok(Self {
            token: token.to_owned(),
            claims,
        })
    }

    /// Verifies signature, key types and dates.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedClaims`], [`Error::WrongKeyType`], [`Error::BadSignature`],
    /// [`Error::Expired`] or [`Error::NotYetValid`].
    pub fn verify(self) -> Result<VerifiedClaims, Error> {
        let Self { token, claims } = self;
        let provider = claims.metadata.clone().ok_or_else(|| {
            Error::malformed_claims("they have no `wascap` section, so they describe no provider")
        })?;
        require_key("issuer", &claims.issuer, KeyPairType::Account)?;
        require_key("subject", &claims.subject, KeyPairType::Service)?;
        // Also checks that `alg` is the one there is.
        let validation = validate_token::<CapabilityProvider>(&token).map_err(|source| {
            Error::MalformedClaims {
                reason: "the token cannot be validated".to_owned(),
                source: Some(source),
            }
        })?;
        if !validation.signature_valid {
            return Err(Error::BadSignature {
                issuer: claims.issuer,
            });
        }
        if validation.expired {
            return Err(Error::Expired(validation.expires_human));
        }
        if validation.cannot_use_yet {
            return Err(Error::NotYetValid(validation.not_before_human));
        }
        let (executables, world) = parse_hashes(&provider.target_hashes)?;
        Ok(VerifiedClaims {
            token: Token { jwt: token, claims },
            provider,
            executables,
            world,
        })
    }
}

/// Claims whose signature, key types and dates have been verified. There is no other way to make one.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedClaims {
    token: Token<CapabilityProvider>,
    provider: CapabilityProvider,
    executables: BTreeMap<Target, Digest>,
    world: Option<Digest>,
}

impl VerifiedClaims {
    /// The signed token itself.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token.jwt
    }

    /// The public key of the account that signed, `A…`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.token.claims.issuer
    }

    /// The public key that identifies the provider, `V…`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.token.claims.subject
    }

    /// When it was signed, in seconds since 1970.
    #[must_use]
    pub fn issued_at(&self) -> u64 {
        self.token.claims.issued_at
    }

    /// What the publisher says about the provider.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        Metadata {
            name: self.provider.name.clone(),
            vendor: self.provider.vendor.clone(),
            revision: self.provider.rev,
            version: self.provider.ver.clone(),
            schema: self.provider.config_schema.clone(),
            not_before: self.token.claims.not_before,
            expires: self.token.claims.expires,
        }
    }

    /// The signed hash of every executable, by target.
    #[must_use]
    pub fn executables(&self) -> &BTreeMap<Target, Digest> {
        &self.executables
    }

    /// The signed hash of the executable for `target`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTarget`] with the targets there are.
    pub fn executable(&self, target: &Target) -> Result<&Digest, Error> {
        self.executables
            .get(target)
            .ok_or_else(|| Error::NoSuchTarget {
                target: target.clone(),
                available: self.executables.keys().cloned().collect(),
            })
    }

    /// The signed hash of the WIT world.
    #[must_use]
    pub fn world(&self) -> Option<&Digest> {
        self.world.as_ref()
    }

    /// The token in the type of the `wascap` crate.
    #[must_use]
    pub fn as_wascap(&self) -> &Token<CapabilityProvider> {
        &self.token
    }
}

/// Who signs an archive, and which provider it is.
///
/// Signing needs the issuer's seed, but only the public key of the subject: a provider keeps its
/// identity without its seed being around.
#[derive(Debug, Clone)]
pub struct Signer {
    issuer: KeyPair,
    subject: String,
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
        })
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
        let claims = Claims::<CapabilityProvider>::with_provider(
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
        Draft {
            issuer: &self.issuer,
            claims,
            world,
        }
    }
}

/// Claims that still lack the hashes of the executables.
pub(super) struct Draft<'a> {
    issuer: &'a KeyPair,
    claims: Claims<CapabilityProvider>,
    world: Option<Digest>,
}

impl Draft<'_> {
    /// Signs claims over `executables` and the world, and verifies what came of it. For the same
    /// targets, tokens have the same length.
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
        // Not `Claims::encode`: its map of hashes comes out in random order. A `Value` is sorted.
        let payload = serde_json::to_value(&claims).map_err(Error::Encode)?;
        let signed = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(HEADER.as_bytes()),
            BASE64URL_NOPAD.encode(payload.to_string().as_bytes()),
        );
        let signature = self.issuer.sign(signed.as_bytes()).map_err(Error::Sign)?;
        let token = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature));
        UnverifiedClaims::decode(&token)?.verify()
    }
}

/// The form that claims write a hash in: upper case, no algorithm.
fn claimed(digest: &Digest) -> String {
    digest.hex().to_ascii_uppercase()
}

fn require_key(role: &'static str, key: &str, kind: KeyPairType) -> Result<(), Error> {
    let expected = match kind {
        KeyPairType::Account => "the public key of an account (A…)",
        _ => "the public key of a service (V…)",
    };
    let right = KeyPair::from_public_key(key).is_ok_and(|pair| pair.key_pair_type() == kind);
    if right {
        return Ok(());
    }
    Err(Error::WrongKeyType {
        role,
        key: key.chars().take(60).flat_map(char::escape_debug).collect(),
        expected,
    })
}

type Hashes = (BTreeMap<Target, Digest>, Option<Digest>);

fn parse_hashes(target_hashes: &HashMap<String, String>) -> Result<Hashes, Error> {
    let mut executables = BTreeMap::new();
    let mut world = None;
    for (name, hash) in target_hashes {
        let digest = Digest::from_hex(Algorithm::Sha256, hash).map_err(|_| {
            Error::malformed_claims(format!("the hash of `{}` is none", name.escape_debug()))
        })?;
        if name == WORLD_ENTRY {
            world = Some(digest);
        } else {
            let target = Target::carried(name)
                .map_err(|error| Error::malformed_claims(error.to_string()))?;
            executables.insert(target, digest);
        }
    }
    Ok((executables, world))
}

/// The name under which claims cover an entry.
pub(super) fn hash_key(stem: &str) -> &str {
    match stem {
        "claims" => CLAIMS_ENTRY,
        "world" => WORLD_ENTRY,
        target => target,
    }
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
