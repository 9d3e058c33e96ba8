//! The reasons why a client certificate cannot be used.

use std::fmt;
use std::path::PathBuf;

/// The reason why a client certificate, or its key, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientCertificateProblem {
    /// The file is binary, such as DER or PKCS #12, and not PEM.
    Binary,
    /// The certificate, or its PEM, is malformed.
    Malformed,
    /// The file contains no certificate.
    NoCertificate,
    /// The file contains no private key.
    NoKey,
    /// The private key is encrypted.
    EncryptedKey,
    /// The private key is of a kind that is not supported.
    UnknownKey,
    /// The private key belongs to another certificate.
    OtherKey {
        /// The file of the key. `None` when the key is in the file of the certificate.
        key: Option<PathBuf>,
    },
    /// The certificate has version 1 of X.509.
    Version1,
}

impl fmt::Display for ClientCertificateProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Binary => "it is binary, such as DER or PKCS #12, and not PEM",
            Self::Malformed => "its certificate is malformed",
            Self::NoCertificate => "it contains no certificate",
            Self::NoKey => "it contains no private key",
            Self::EncryptedKey => "its private key is encrypted",
            Self::UnknownKey => "its private key is of a kind that is not supported",
            Self::OtherKey { key: None } => "its private key does not belong to its certificate",
            Self::OtherKey { key: Some(key) } => {
                let key = key.display();
                return write!(
                    formatter,
                    "the private key in {key} does not belong to its certificate"
                );
            }
            Self::Version1 => "its certificate has version 1 of X.509, but version 3 is needed",
        })
    }
}
