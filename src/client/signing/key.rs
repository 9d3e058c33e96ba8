//! A key for one signature.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use sigstore_verify::types::{DerPublicKey, SignatureBytes};

use super::error::SigningError;

/// The bytes before the point of a P-256 key in a `SubjectPublicKeyInfo` (RFC 5480, section 2).
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A P-256 key for one signature. It is held only in memory.
pub(super) struct OneTimeKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl OneTimeKey {
    pub(super) fn generate() -> Result<Self, SigningError> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random);
        let document = document.map_err(|_| SigningError::Key)?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random);
        let pair = pair.map_err(|_| SigningError::Key)?;
        Ok(Self { pair, random })
    }

    /// Returns the public key in PEM.
    pub(super) fn public_key(&self) -> String {
        let point = self.pair.public_key().as_ref();
        DerPublicKey::new([&PREFIX, point].concat()).to_pem()
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> Result<SignatureBytes, SigningError> {
        let signature = self.pair.sign(&self.random, bytes);
        let signature = signature.map_err(|_| SigningError::Key)?;
        Ok(SignatureBytes::new(signature.as_ref().to_vec()))
    }
}
