//! Claims: who published an archive, which provider it is, and what it holds.

use std::collections::{BTreeMap, HashMap};
use std::time::{SystemTime, UNIX_EPOCH};

use nkeys::{KeyPair, KeyPairType};
use wascap::jwt::{CapabilityProvider, Claims, Token, TokenValidation, validate_token};

use crate::content::{Algorithm, Digest, rfc3339};

use super::WORLD_ENTRY;
use super::error::Error;
use super::target::Target;

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

impl Metadata {
    /// Checks that there is a time, now or later, at which an archive with these dates is valid.
    ///
    /// # Errors
    ///
    /// [`Error::NeverValid`].
    pub fn check_dates(&self) -> Result<(), Error> {
        let Some(expires) = self.expires else {
            return Ok(());
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let reason = match self.not_before {
            _ if expires <= now => format!("that is past; it is {}", rfc3339(now)),
            Some(not_before) if expires <= not_before => {
                format!("and become valid only at {}", rfc3339(not_before))
            }
            _ => return Ok(()),
        };
        Err(Error::NeverValid { expires, reason })
    }
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
        let (claims, validation) = self.validate()?;
        check_dates(validation)?;
        Ok(claims)
    }

    /// Verifies all but the dates: for whoever signs, and never for those who read.
    pub(super) fn verify_undated(self) -> Result<VerifiedClaims, Error> {
        self.validate().map(|(claims, _)| claims)
    }

    fn validate(self) -> Result<(VerifiedClaims, TokenValidation), Error> {
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
        let (executables, world) = parse_hashes(&provider.target_hashes)?;
        let verified = VerifiedClaims {
            token: Token { jwt: token, claims },
            provider,
            executables,
            world,
        };
        Ok((verified, validation))
    }
}

fn check_dates(validation: TokenValidation) -> Result<(), Error> {
    if validation.expired {
        return Err(Error::Expired(validation.expires_human));
    }
    if validation.cannot_use_yet {
        return Err(Error::NotYetValid(validation.not_before_human));
    }
    Ok(())
}

/// Claims whose signature and key types have been verified, and whose dates are good. There is no other
/// way to get one by reading.
///
/// Only who signs an archive, or [edits](super::edit) it, sees claims that become valid later or that
/// have expired.
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

    /// The revision, when the publisher gives one. It grows from release to release.
    #[must_use]
    pub fn revision(&self) -> Option<i32> {
        self.provider.rev
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

/// Checks that a public key is of the kind that its role asks for.
pub(super) fn require_key(role: &'static str, key: &str, kind: KeyPairType) -> Result<(), Error> {
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
