//! The keys that sign archives, with their seeds.

use std::fmt;

use nkeys::KeyPair;

use crate::archive::error::Error;

use super::kind::{KeyKind, owner_of};

/// The key of an issuer or a subject, with its seed. `Debug` prints the public key only.
///
/// ```
/// use wasmcloud_par::archive::{Key, KeyKind};
///
/// let key = Key::generate(KeyKind::Account);
/// let again = Key::from_seed(&key.seed()?)?;
/// assert_eq!(again.public_key(), key.public_key());
/// # Ok::<(), wasmcloud_par::archive::Error>(())
/// ```
#[derive(Clone)]
pub struct Key {
    pair: KeyPair,
    kind: KeyKind,
}

impl Key {
    /// Generates a key.
    #[must_use]
    pub fn generate(kind: KeyKind) -> Self {
        Self {
            pair: KeyPair::new(kind.pair_type()),
            kind,
        }
    }

    /// Parses the seed of an account (`SA…`) or of a service (`SV…`).
    ///
    /// # Errors
    ///
    /// [`Error::MalformedSeed`] or [`Error::WrongSeedType`]. Neither contains the seed.
    pub fn from_seed(seed: &str) -> Result<Self, Error> {
        let kind = if seed.trim_start().starts_with("SV") {
            KeyKind::Service
        } else {
            KeyKind::Account
        };
        Self::parse(seed.trim(), kind, || format!("the given {kind} key"))
    }

    /// Parses the seed of a key of this kind. `origin` tells the error message where the seed came from.
    pub(super) fn parse(
        seed: &str,
        kind: KeyKind,
        origin: impl FnOnce() -> String,
    ) -> Result<Self, Error> {
        if seed.is_empty() {
            return Err(Error::MalformedSeed {
                origin: origin(),
                source: "it is empty".into(),
            });
        }
        match KeyPair::from_seed(seed) {
            Ok(pair) if pair.key_pair_type() == kind.pair_type() => Ok(Self { pair, kind }),
            Ok(_) => Err(Error::WrongSeedType {
                origin: origin(),
                expected: kind.seed_description(),
            }),
            Err(_) if owner_of(seed).is_some() => Err(Error::MalformedSeed {
                origin: origin(),
                source: format!("it is a public key, and not {}", kind.seed_description()).into(),
            }),
            Err(source) => Err(Error::MalformedSeed {
                origin: origin(),
                source: source.into(),
            }),
        }
    }

    /// Takes the key of an issuer from a program that uses the `nkeys` crate. The kind is not checked here:
    /// [`Signer::new`] refuses a key that is not an account's.
    ///
    /// [`Signer::new`]: crate::archive::Signer::new
    pub(in crate::archive) fn of_issuer(pair: &KeyPair) -> Self {
        Self {
            pair: pair.clone(),
            kind: KeyKind::Account,
        }
    }

    /// Returns the kind of the key.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Returns the public key: `A…` for an account, `V…` for a service.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.pair.public_key()
    }

    /// Returns the seed, which is a secret.
    ///
    /// # Errors
    ///
    /// [`Error::Sign`] when the key cannot be encoded.
    pub fn seed(&self) -> Result<String, Error> {
        let seed = self.pair.seed();
        seed.map_err(|source| Error::Sign(source.into()))
    }

    pub(in crate::archive) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.pair.sign(bytes);
        signature.map_err(|source| Error::Sign(source.into()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Key")
            .field(&self.public_key())
            .finish()
    }
}

#[cfg(test)]
#[path = "tests/key.rs"]
mod tests;
