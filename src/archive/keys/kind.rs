//! The kinds of keys.

use std::fmt;

use nkeys::{KeyPair, KeyPairType};

/// How many characters a public key has.
const PUBLIC_KEY_LENGTH: usize = 56;

/// The two kinds of keys that an archive needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The key of an issuer, which signs archives. Public key `A…`, seed `SA…`.
    Account,
    /// The key of a subject, which identifies a provider. Public key `V…`, seed `SV…`.
    Service,
}

impl KeyKind {
    /// Returns the name, as in `{name}_account.nk`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Service => "service",
        }
    }

    /// Returns the name of the file in which `wash` keeps a key: `{owner}_account.nk` or `{owner}_service.nk`.
    #[must_use]
    pub fn file_name(self, owner: &str) -> String {
        format!("{owner}_{}.nk", self.name())
    }

    /// Returns whether `text` is the public key of a key of this kind.
    pub(crate) fn has_public_key(self, text: &str) -> bool {
        let pair = KeyPair::from_public_key(text);
        pair.is_ok_and(|pair| pair.key_pair_type() == self.pair_type())
    }

    /// Returns the kind whose public keys have the form of `text`: 56 characters of base32, of which the first stands
    /// for the kind. The checksum is not verified.
    pub(super) fn by_form(text: &str) -> Option<Self> {
        let is_base32 = |byte: u8| matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
        if text.len() != PUBLIC_KEY_LENGTH || !text.bytes().all(is_base32) {
            return None;
        }
        match text.as_bytes().first() {
            Some(b'A') => Some(Self::Account),
            Some(b'V') => Some(Self::Service),
            _ => None,
        }
    }

    pub(super) fn pair_type(self) -> KeyPairType {
        match self {
            Self::Account => KeyPairType::Account,
            Self::Service => KeyPairType::Service,
        }
    }

    pub(super) fn public_key_description(self) -> &'static str {
        match self {
            Self::Account => "the public key of an account (A…)",
            Self::Service => "the public key of a service (V…)",
        }
    }

    pub(super) fn seed_description(self) -> &'static str {
        match self {
            Self::Account => "the seed of an account (SA…)",
            Self::Service => "the seed of a service (SV…)",
        }
    }
}

/// Returns what the public key `text` belongs to, such as "an account (A…)". A text with the form of a public key counts
/// as one, even if its checksum is wrong. `None` for any other text.
pub(super) fn owner_of(text: &str) -> Option<&'static str> {
    match KeyPair::from_public_key(text) {
        Ok(pair) => Some(owner(&pair.key_pair_type())),
        Err(_) => KeyKind::by_form(text).map(|kind| owner(&kind.pair_type())),
    }
}

/// Returns what a key of this type belongs to, with the letter that begins its public key.
pub(super) fn owner(pair_type: &KeyPairType) -> &'static str {
    match pair_type {
        KeyPairType::Account => "an account (A…)",
        KeyPairType::Service => "a service (V…)",
        KeyPairType::Module => "a component (M…)",
        KeyPairType::User => "a user (U…)",
        KeyPairType::Operator => "an operator (O…)",
        KeyPairType::Server => "a server (N…)",
        KeyPairType::Cluster => "a cluster (C…)",
        KeyPairType::Curve => "an encryption key (X…)",
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
