//! The token that contains claims: a JSON Web Token (RFC 7519) as `wascap` writes it.
//!
//! `wascap` reads dates only in whole seconds. But a date is a `NumericDate` (RFC 7519, section 2), which may have a
//! fraction. So this file reads the payload.

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wascap::jwt::{CapabilityProvider, Claims};

use super::error::{Error, Opaque};
use super::repeated_keys::repeated_key;

/// The header of every token that is signed here.
pub(super) const HEADER: &str = r#"{"typ":"jwt","alg":"Ed25519"}"#;

/// The most characters of a key in an error.
const LONGEST_KEY: usize = 64;

/// Rounds a number of seconds.
type Round = fn(f64) -> f64;

/// The dates of a payload, and how a fraction of a second is rounded. Rounding never makes a token valid for longer.
const DATES: [(&str, Round); 3] = [("exp", f64::floor), ("nbf", f64::ceil), ("iat", f64::floor)];

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
}

/// Decodes the claims of a token without verifying them. A key that an object has twice is an error.
pub(super) fn decode(token: &str) -> Result<Claims<CapabilityProvider>, Error> {
    let [_, payload, _] = segments(token)?;
    if let Ok(claims) = segment(payload) {
        return Ok(claims);
    }
    let mut payload: Value = segment(payload)?;
    for (name, round) in DATES {
        if let Some(date) = payload.get_mut(name) {
            *date = whole_seconds(name, date, round)?;
        }
    }
    serde_json::from_value(payload).map_err(undecodable)
}

/// Decodes the payload of a token of another kind without verifying it.
pub(super) fn payload<T: DeserializeOwned>(token: &str) -> Result<T, Error> {
    let [_, payload, _] = segments(token)?;
    segment(payload)
}

/// Returns whether the signature of a token is a valid signature of `issuer`.
pub(super) fn is_signed_by(token: &str, issuer: &str) -> Result<bool, Error> {
    let [header, _, signature] = segments(token)?;
    let Header { typ, alg } = segment(header)?;
    if typ != "jwt" || alg != "Ed25519" {
        return Err(Error::malformed_claims(
            "the type or the algorithm of the token is not that of claims",
        ));
    }
    let signature = BASE64URL_NOPAD
        .decode(signature.as_bytes())
        .map_err(undecodable)?;
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    let key = KeyPair::from_public_key(issuer).map_err(undecodable)?;
    Ok(key.verify(signed.as_bytes(), &signature).is_ok())
}

fn segments(token: &str) -> Result<[&str; 3], Error> {
    let segments: Vec<&str> = token.split('.').collect();
    let three = segments.try_into();
    three.map_err(|_| Error::malformed_claims("the token does not have three parts"))
}

fn segment<T: DeserializeOwned>(encoded: &str) -> Result<T, Error> {
    let json = BASE64URL_NOPAD
        .decode(encoded.as_bytes())
        .map_err(undecodable)?;
    if let Some(key) = repeated_key(&json).map_err(undecodable)? {
        let key: String = key.chars().take(LONGEST_KEY).collect();
        let reason = format!("the key `{}` occurs twice", key.escape_debug());
        return Err(Error::malformed_claims(reason));
    }
    serde_json::from_slice(&json).map_err(undecodable)
}

/// Returns a date in whole seconds. Fails with the name of the date when it is not a number of seconds, or too large.
fn whole_seconds(name: &str, date: &Value, round: Round) -> Result<Value, Error> {
    /// The first number that is too large for whole seconds: 2^64.
    const END: f64 = 18_446_744_073_709_551_616.0;
    if date.is_u64() || date.is_null() {
        return Ok(date.clone());
    }
    let refused = || {
        let reason = format!("the date `{name}` is {date}, not a number of seconds since 1970");
        Error::malformed_claims(reason)
    };
    let seconds = date.as_f64().map(round).ok_or_else(refused)?;
    if !(0.0..END).contains(&seconds) {
        return Err(refused());
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked above"
    )]
    let seconds = seconds as u64;
    Ok(seconds.into())
}

fn undecodable(source: impl Into<Opaque>) -> Error {
    Error::MalformedClaims {
        reason: "the token cannot be decoded".to_owned(),
        source: Some(source.into()),
    }
}

#[cfg(test)]
#[path = "tests/token.rs"]
mod tests;
