//! An identity token.

use std::fmt;
use std::time::{Duration, SystemTime};

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

use crate::content::unix_time;

use super::error::SigningError;

/// The longest token that is accepted, in bytes. Tokens of GitHub and GitLab have about two thousand.
const LONGEST: usize = 64 * 1024;
/// A token that expires within this time is replaced, because the certificate authority may be slow.
const SHORTEST: Duration = Duration::from_secs(20);

/// An identity token: a JSON Web Token from an OpenID Connect issuer. It is a secret, and `Debug` does not show it.
#[derive(Clone)]
pub struct IdentityToken {
    text: String,
    claims: Claims,
}

/// The claims of a token. They are not verified here: only the certificate authority verifies them.
#[derive(Clone, Deserialize)]
struct Claims {
    /// When the token expires, in seconds since 1970. Some issuers write a fraction.
    exp: f64,
    #[serde(default)]
    sub: String,
    email: Option<String>,
}

impl IdentityToken {
    /// Parses a token. Spaces and line feeds around it are ignored.
    ///
    /// # Errors
    ///
    /// [`SigningError::Token`] for a text that is not a JSON Web Token with an identity and an expiry. The signature of the
    /// token is not verified here: the certificate authority verifies it.
    pub fn new(text: &str) -> Result<Self, SigningError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SigningError::Token("it is empty"));
        }
        if text.len() > LONGEST {
            return Err(SigningError::Token("it is too long"));
        }
        let not_a_token = SigningError::Token("it is not a JSON Web Token");
        let mut parts = text.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(not_a_token);
        };
        let Ok(payload) = BASE64URL_NOPAD.decode(payload.as_bytes()) else {
            return Err(not_a_token);
        };
        let claims: Claims = serde_json::from_slice(&payload)
            .map_err(|_| SigningError::Token("it has no claims with a subject and an expiry"))?;
        if claims.identity().is_empty() {
            return Err(SigningError::Token("it names no identity"));
        }
        Ok(Self {
            text: text.to_owned(),
            claims,
        })
    }

    /// Returns when the token expires.
    #[must_use]
    pub fn expires(&self) -> SystemTime {
        // `as` saturates: a time out of range becomes the nearest one in range.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "fractions of a second are dropped, and times before 1970 become 1970"
        )]
        unix_time(self.claims.exp as u64)
    }

    /// Returns an error if the token has expired at `now`.
    pub(super) fn check(&self, now: SystemTime) -> Result<(), SigningError> {
        let expired = self.expires();
        if expired <= now {
            return Err(SigningError::TokenExpired { expired });
        }
        Ok(())
    }

    /// Whether the token expires so soon that a new one should be requested.
    #[cfg(feature = "sigstore")]
    pub(super) fn ends_soon(&self, now: SystemTime) -> bool {
        self.expires() <= now + SHORTEST
    }

    /// Returns the token itself, to send it to the certificate authority.
    #[cfg(feature = "sigstore")]
    pub(super) fn expose(&self) -> &str {
        &self.text
    }

    /// Returns the mail address in the token, or its subject if it has no mail address. A client signs this text with its
    /// key to prove to the certificate authority that it holds the key.
    #[cfg(feature = "sigstore")]
    pub(super) fn identity(&self) -> &str {
        self.claims.identity()
    }

    /// Returns whether a text contains the first 16 bytes of a part of the token.
    #[cfg(feature = "sigstore")]
    pub(super) fn is_in(&self, text: &str) -> bool {
        let parts = self.text.split('.');
        let mut beginnings = parts.filter_map(|part| part.get(..16));
        beginnings.any(|beginning| text.contains(beginning))
    }
}

impl Claims {
    fn identity(&self) -> &str {
        // An issuer may write an empty address for an account that has none. cosign takes the subject then.
        let email = self.email.as_deref().filter(|email| !email.is_empty());
        email.unwrap_or(&self.sub)
    }
}

impl fmt::Debug for IdentityToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("IdentityToken")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "tests/token.rs"]
mod tests;
