//! Rotation statements. With one, an account declares that another account publishes its providers from now on.

use std::time::{Duration, SystemTime};

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::content::{Digest, unix_seconds, unix_time};

use super::claims::VerifiedClaims;
use super::error::Error;
use super::keys::{Issuer, Key, Subject};
use super::token;

/// The longest statement that is read, in bytes.
const LONGEST: usize = 16 * 1024;
/// How far the clocks of the publisher and of this machine may differ.
const LEEWAY: Duration = Duration::from_secs(60);

/// A verified rotation statement: an account declares which account publishes some of its providers from now on.
///
/// It is a JSON Web Token, signed by the former account. A host that has pinned the former account accepts the new
/// account because of the statement.
///
/// ```
/// use std::time::SystemTime;
///
/// use wasmcloud_par::archive::{Key, KeyKind, Rotation};
///
/// # fn main() -> Result<(), wasmcloud_par::archive::Error> {
/// let (old, new) = (Key::generate(KeyKind::Account), Key::generate(KeyKind::Account));
/// let provider = Key::generate(KeyKind::Service).public_key().parse()?;
/// let statement =
///     Rotation::sign(&old, &new.public_key().parse()?, &[provider], false, SystemTime::now())?;
/// assert_eq!(Rotation::verify(statement.token())?, statement);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    token: String,
    from: Issuer,
    to: Issuer,
    providers: Vec<Subject>,
    retire: bool,
    date: u64,
}

/// The payload of the token. Only rotation statements have the section with the providers.
#[derive(Serialize, Deserialize)]
struct Payload {
    jti: String,
    iat: u64,
    iss: String,
    sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    #[serde(rename = "com.wasmcloud.par.rotation")]
    section: Section,
}

#[derive(Serialize, Deserialize)]
struct Section {
    providers: Vec<String>,
    #[serde(default)]
    retire: bool,
}

impl Rotation {
    /// Signs a statement with `from`, the key of the former account: `to` publishes `providers` from now on. With
    /// `retire`, hosts accept the former account only for archives that they have used before. `date` is the date of
    /// the statement. Of two statements, the later one counts.
    ///
    /// # Errors
    ///
    /// [`Error::WrongKeyType`] when `from` is not an account; [`Error::CannotRotate`] when `providers` is empty, when both
    /// accounts are the same, or when the statement would be too long; [`Error::Sign`].
    pub fn sign(
        from: &Key,
        to: &Issuer,
        providers: &[Subject],
        retire: bool,
        date: SystemTime,
    ) -> Result<Self, Error> {
        let from_account: Issuer = from.public_key().parse()?;
        let mut payload = Payload {
            jti: String::new(),
            iat: unix_seconds(date),
            iss: from_account.to_string(),
            sub: to.to_string(),
            nbf: None,
            exp: None,
            section: Section {
                providers: providers.iter().map(Subject::to_string).collect(),
                retire,
            },
        };
        let rest = serde_json::to_vec(&payload).map_err(|error| Error::Encode(error.into()))?;
        Digest::of(&rest).hex().clone_into(&mut payload.jti);
        let payload = serde_json::to_vec(&payload).map_err(|error| Error::Encode(error.into()))?;
        let [header, payload] =
            [token::HEADER.as_bytes(), &payload].map(|part| BASE64URL_NOPAD.encode(part));
        let signed = format!("{header}.{payload}");
        let signature = BASE64URL_NOPAD.encode(&from.sign(signed.as_bytes())?);
        Self::read(&format!("{signed}.{signature}")).map_err(|error| match error {
            // The arguments are wrong: nothing that somebody else has signed was read.
            Error::Rotation { reason, .. } => Error::CannotRotate { reason },
            other => other,
        })
    }

    /// Verifies a statement: its signature, the types of its keys, and its dates. White space around it is ignored.
    ///
    /// # Errors
    ///
    /// [`Error::Rotation`].
    pub fn verify(text: &str) -> Result<Self, Error> {
        let statement = Self::read(text)?;
        let now = SystemTime::now() + LEEWAY;
        if unix_time(statement.date) > now {
            return Err(invalid("its date is in the future"));
        }
        Ok(statement)
    }

    /// Verifies everything except the date of signing, which the signer chooses.
    fn read(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(invalid(format!("it has more than {LONGEST} bytes")));
        }
        let undecodable = |error: Error| Error::Rotation {
            reason: "it is not a token of that kind".to_owned(),
            source: Some(error.into()),
        };
        let payload: Payload = token::payload(text).map_err(undecodable)?;
        let from: Issuer = payload.iss.parse().map_err(undecodable)?;
        let to: Issuer = payload.sub.parse().map_err(undecodable)?;
        if !token::is_signed_by(text, from.as_str()).map_err(undecodable)? {
            return Err(invalid(format!(
                "its signature is not a valid signature of {from}"
            )));
        }
        if from == to {
            return Err(invalid("the former and the new account are the same"));
        }
        let providers = payload.section.providers.iter().map(|key| key.parse());
        let providers: Vec<Subject> = providers.collect::<Result<_, _>>().map_err(undecodable)?;
        if providers.is_empty() {
            return Err(invalid("it names no provider"));
        }
        let now = SystemTime::now();
        if payload.exp.is_some_and(|expires| unix_time(expires) < now) {
            return Err(invalid("it has expired"));
        }
        if payload
            .nbf
            .is_some_and(|begins| unix_time(begins) > now + LEEWAY)
        {
            return Err(invalid("it is not valid yet"));
        }
        Ok(Self {
            token: text.to_owned(),
            from,
            to,
            providers,
            retire: payload.section.retire,
            date: payload.iat,
        })
    }

    /// Returns the signed token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the former account, which signed the statement.
    #[must_use]
    pub fn from(&self) -> &Issuer {
        &self.from
    }

    /// Returns the account that publishes from now on.
    #[must_use]
    pub fn to(&self) -> &Issuer {
        &self.to
    }

    /// Returns the providers that the statement is about.
    #[must_use]
    pub fn providers(&self) -> &[Subject] {
        &self.providers
    }

    /// Returns whether hosts accept the former account only for archives that they have used before.
    #[must_use]
    pub fn retires(&self) -> bool {
        self.retire
    }

    /// Returns the date of the statement, in whole seconds.
    #[must_use]
    pub fn date(&self) -> SystemTime {
        unix_time(self.date)
    }

    /// Whether the statement is about the issuer and the subject of these claims.
    #[must_use]
    pub fn fits(&self, claims: &VerifiedClaims) -> bool {
        self.to == *claims.issuer() && self.providers.contains(claims.subject())
    }
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::Rotation {
        reason: reason.into(),
        source: None,
    }
}

#[cfg(test)]
#[path = "tests/rotation.rs"]
mod tests;
