//! The reasons why a client certificate cannot be used.

use std::fmt;
use std::path::PathBuf;

/// The reason why a client certificate, or its key, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientCertificateProblem {
    /// The file is binary, as DER and PKCS #12 are, and not PEM.
    Binary,
    /// The certificate, or its PEM, is malformed.
    Malformed,
    /// The file holds no certificate.
    NoCertificate,
    /// The file holds no private key.
    NoKey,
    /// The private key is encrypted.
    EncryptedKey,
    /// The private key is of a kind that is not supported.
    UnknownKey,
    /// The private key belongs to another certificate.
    OtherKey {
        /// The file of the key. `None`: it is the file of the certificate.
        key: Option<PathBuf>,
    },
    /// The certificate has version 1 of X.509.
    Version1,
}

impl fmt::Display for ClientCertificateProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Binary => "it is binary, as DER and PKCS #12 are, and not PEM",
            Self::Malformed => "its certificate is malformed",
            Self::NoCertificate => "it holds no certificate",
            Self::NoKey => "it holds no private key",
            Self::EncryptedKey => "its private key is encrypted",
            Self::UnknownKey => "its private key is of a kind that is not supported",
            Self::OtherKey { key: None } => "it does not hold a certificate and its key",
            Self::OtherKey { key: Some(key) } => {
                let key = key.display();
                return write!(formatter, "it and {key} are not a certificate and its key");
            }
            Self::Version1 => "its certificate has version 1 of X.509, and version 3 is needed",
        })
    }
}
