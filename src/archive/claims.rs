//! Claims: the signed statement of an issuer about a provider and its executables.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use wascap::jwt::{CapabilityProvider, Claims, Token};

use crate::content::{Algorithm, Digest, rfc3339, unix_seconds, unix_time};

use super::entry_names::WORLD_ENTRY;
use super::error::Error;
use super::keys::{Issuer, Subject};
use super::target::Target;
use super::token;

/// How far the clocks of the publisher and of this machine may differ.
const LEEWAY: Duration = Duration::from_secs(60);

/// What an issuer says about a provider, besides the hashes of its executables.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// The name of the provider, for people.
    pub name: Option<String>,
    /// The vendor of the provider, for people.
    pub vendor: String,
    /// A number that grows from release to release.
    pub revision: Option<i32>,
    /// The version, as free text.
    pub version: Option<String>,
    /// A JSON schema of the provider's configuration.
    pub schema: Option<serde_json::Value>,
    /// The time from which the archive is valid, in whole seconds. With `None`, it is valid at once.
    pub not_before: Option<SystemTime>,
    /// The time until which the archive is valid, in whole seconds. With `None`, it never expires.
    pub expires: Option<SystemTime>,
}

impl Metadata {
    /// Checks that an archive with these dates is valid now or at some later time.
    ///
    /// # Errors
    ///
    /// [`Error::NeverValid`].
    pub fn check_dates(&self) -> Result<(), Error> {
        let Some(expires) = self.expires else {
            return Ok(());
        };
        let now = SystemTime::now();
        let text = |time| rfc3339(unix_seconds(time));
        let reason = match self.not_before {
            _ if expires <= now => format!("which is past: it is {} now", text(now)),
            Some(not_before) if expires <= not_before => {
                format!("before it becomes valid at {}", text(not_before))
            }
            _ => return Ok(()),
        };
        Err(Error::NeverValid { expires, reason })
    }
}

/// The claims of a token that is decoded but not verified. [`verify`](Self::verify) turns them into [`VerifiedClaims`].
#[derive(Debug, Clone)]
pub struct UnverifiedClaims {
    token: String,
    claims: Claims<CapabilityProvider>,
}

/// Decides whether claims are accepted that are not valid now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Dates {
    /// Accepts only claims that are valid now. Every operation that hands out an executable uses this value.
    #[default]
    Valid,
    /// Also accepts claims that become valid later. A publisher may push an archive before that time, and read it.
    ValidLater,
    /// Accepts claims with any dates. This is for signing an archive again, and for reading what the claims say without
    /// using the archive.
    Any,
}

impl UnverifiedClaims {
    /// Decodes a token. White space around it is ignored, because some tools write a line end.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedClaims`] when the text is not a token of a provider.
    pub fn decode(token: &str) -> Result<Self, Error> {
        let token = token.trim();
        let claims = token::decode(token)?;
        let token = token.to_owned();
        Ok(Self { token, claims })
    }

    /// Verifies the signature, the types of the keys, and the dates. Claims are valid from one minute before `nbf`,
    /// because the clocks of two machines may differ, until `exp`.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedClaims`], [`Error::WrongKeyType`], [`Error::BadSignature`],
    /// [`Error::Expired`] or [`Error::NotYetValid`].
    pub fn verify(self) -> Result<VerifiedClaims, Error> {
        self.verify_with(Dates::Valid)
    }

    /// [Verifies](Self::verify) the claims, and applies `dates` to those that are not valid now.
    pub(crate) fn verify_with(self, dates: Dates) -> Result<VerifiedClaims, Error> {
        let claims = self.verify_undated()?;
        match (claims.check_dates(SystemTime::now()), dates) {
            (_, Dates::Any) | (Err(Error::NotYetValid(_)), Dates::ValidLater) => Ok(claims),
            (checked, _) => checked.map(|()| claims),
        }
    }

    /// Verifies everything except the dates. [`verify_with`](Self::verify_with) checks them afterwards. Code that signs
    /// claims does not check them.
    pub(super) fn verify_undated(self) -> Result<VerifiedClaims, Error> {
        let Self { token, claims } = self;
        let provider = claims.metadata.clone().ok_or_else(|| {
            Error::malformed_claims("they have no `wascap` section, so they describe no provider")
        })?;
        let issuer: Issuer = claims.issuer.parse()?;
        let subject: Subject = claims.subject.parse()?;
        if !token::is_signed_by(&token, issuer.as_str())? {
            return Err(Error::BadSignature {
                issuer: issuer.to_string(),
            });
        }
        let (executables, world) = parse_hashes(&provider.target_hashes)?;
        Ok(VerifiedClaims {
            token: Token { jwt: token, claims },
            issuer,
            subject,
            provider,
            executables,
            world,
        })
    }
}

/// Claims whose signature, key types and dates have been verified.
///
/// Only signing and [editing](super::edit) return claims that are not yet valid or have expired.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedClaims {
    token: Token<CapabilityProvider>,
    issuer: Issuer,
    subject: Subject,
    provider: CapabilityProvider,
    executables: BTreeMap<Target, Digest>,
    world: Option<Digest>,
}

impl VerifiedClaims {
    /// Refuses claims that are not valid at the time `now`.
    fn check_dates(&self, now: SystemTime) -> Result<(), Error> {
        let Claims {
            expires,
            not_before,
            issued_at,
            ..
        } = &self.token.claims;
        let at = |seconds: u64| {
            let now = rfc3339(unix_seconds(now));
            format!("at {}, and it is {now} now", rfc3339(seconds))
        };
        // `now` keeps the fraction of its second in the comparison, because hosts compare in the same way.
        if let Some(expires) = *expires
            && unix_time(expires) < now
        {
            return Err(Error::Expired(at(expires)));
        }
        let latest = unix_seconds(now + LEEWAY);
        if let Some(not_before) = *not_before
            && not_before > latest
        {
            return Err(Error::NotYetValid(at(not_before)));
        }
        if *issued_at > latest {
            tracing::warn!(
                "the claims were signed {}: one of the two clocks is wrong",
                at(*issued_at)
            );
        }
        Ok(())
    }

    /// Returns [`Error::NotYetValid`] for claims that become valid later, and `None` for all others.
    pub(crate) fn not_yet_valid(&self) -> Option<Error> {
        let checked = self.check_dates(SystemTime::now());
        checked
            .err()
            .filter(|error| matches!(error, Error::NotYetValid(_)))
    }

    /// Returns the signed token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token.jwt
    }

    /// Returns the public key of the account that signed.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Returns the public key that identifies the provider.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Returns the time of signing. A time after the year 9999 is given as the end of that year.
    #[must_use]
    pub fn issued_at(&self) -> SystemTime {
        unix_time(self.token.claims.issued_at)
    }

    /// Returns the revision, when the issuer gives one. It grows from release to release.
    #[must_use]
    pub fn revision(&self) -> Option<i32> {
        self.provider.rev
    }

    /// Returns the name of the provider.
    pub(crate) fn name(&self) -> Option<&str> {
        self.provider.name.as_deref()
    }

    /// Returns what the issuer says about the provider. A time after the year 9999 is given as the end of that year.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        Metadata {
            name: self.provider.name.clone(),
            vendor: self.provider.vendor.clone(),
            revision: self.provider.rev,
            version: self.provider.ver.clone(),
            schema: self.provider.config_schema.clone(),
            not_before: self.token.claims.not_before.map(unix_time),
            expires: self.token.claims.expires.map(unix_time),
        }
    }

    /// Returns the signed hash of every executable, by target.
    #[must_use]
    pub fn executables(&self) -> &BTreeMap<Target, Digest> {
        &self.executables
    }

    /// Returns the signed hash of the executable for `target`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTarget`] with the available targets.
    pub fn executable(&self, target: &Target) -> Result<&Digest, Error> {
        let digest = self.executables.get(target);
        digest.ok_or_else(|| Error::no_such_target(target, &self.executables))
    }

    /// Returns the signed hash of the WIT world.
    #[must_use]
    pub fn world(&self) -> Option<&Digest> {
        self.world.as_ref()
    }

    pub(crate) fn as_wascap(&self) -> &Token<CapabilityProvider> {
        &self.token
    }
}

type Hashes = (BTreeMap<Target, Digest>, Option<Digest>);

fn parse_hashes(target_hashes: &HashMap<String, String>) -> Result<Hashes, Error> {
    let mut executables = BTreeMap::new();
    let mut world = None;
    for (name, hash) in target_hashes {
        let refused = |why| {
            let name = name.escape_debug();
            Error::malformed_claims(format!("the hash of `{name}` {why}"))
        };
        let digest = Digest::from_hex(Algorithm::Sha256, hash)
            .map_err(|_| refused("is not a SHA-256 hex digest"))?;
        // Hosts compare the text of the hash.
        if hash.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Err(refused(
                "is not in upper case, so no host can load the archive",
            ));
        }
        if name == WORLD_ENTRY {
            world = Some(digest);
        } else {
            let target = Target::carried(name);
            let target = target.map_err(|error| Error::malformed_claims(error.to_string()))?;
            executables.insert(target, digest);
        }
    }
    Ok((executables, world))
}
