//! The public keys that name the issuer and the subject of an archive.

use std::fmt;
use std::str::FromStr;

use crate::archive::error::Error;

use super::kind::KeyKind;

/// The public key of an issuer: the account that signs archives, `A…`.
///
/// ```
/// use wasmcloud_par::archive::{Issuer, Key, KeyKind};
///
/// let issuer: Issuer = Key::generate(KeyKind::Account).public_key().parse()?;
/// assert!(issuer.as_str().starts_with('A'));
/// # Ok::<(), wasmcloud_par::archive::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Issuer(String);

/// The public key of a subject: the identity of a provider in all its versions, `V…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(String);

/// Implements the methods and traits that both types of public keys have.
macro_rules! public_key {
    ($type:ident, $role:literal, $kind:expr) => {
        impl $type {
            /// Returns the text of the key.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = Error;

            /// Parses a public key and verifies its checksum. Fails with [`Error::WrongKeyType`] for any other text.
            fn from_str(text: &str) -> Result<Self, Error> {
                check($role, text, $kind)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

public_key!(Issuer, "issuer", KeyKind::Account);
public_key!(Subject, "subject", KeyKind::Service);

fn check(role: &'static str, key: &str, kind: KeyKind) -> Result<(), Error> {
    if kind.has_public_key(key) {
        return Ok(());
    }
    Err(Error::WrongKeyType {
        role,
        key: key.chars().take(60).flat_map(char::escape_debug).collect(),
        expected: kind.public_key_description(),
    })
}
