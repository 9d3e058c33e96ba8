//! The kinds of keys.

use std::fmt;

use nkeys::KeyPairType;

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

impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
