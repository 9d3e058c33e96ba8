//! Reading a client certificate and its key.

use std::path::Path;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, InconsistentKeys};

use crate::oci::error::{ClientCertificateProblem as Problem, Error};
use crate::oci::hosts::ClientCertificate;

use super::pem::{is_binary, mistake, read};

/// The marks of an encrypted key in PEM: the name of the PKCS #8 block, and the header of the older format.
const ENCRYPTED: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];

/// The error of another library, or its text.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Reads a client certificate and its key, and checks that they belong together. Blocks.
pub(super) fn read_identity(
    files: &ClientCertificate,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Error> {
    let key_file = files.key.as_ref().unwrap_or(&files.certificate);
    let mut pem = Vec::new();
    for path in std::iter::once(&files.certificate).chain(&files.key) {
        let content = read(path).map_err(Error::file(path))?;
        if is_binary(&content) {
            return Err(unusable(path, Problem::Binary));
        }
        pem.extend(content);
        pem.push(b'\n');
    }
    // This is checked before parsing, because the headers of the older format are not base64.
    if ENCRYPTED.iter().any(|mark| contains(&pem, mark)) {
        return Err(unusable(key_file, Problem::EncryptedKey));
    }
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| {
        let cause = mistake(&error, "certificate or key").into();
        unusable_because(&files.certificate, Problem::Malformed, cause)
    })?;
    if chain.is_empty() {
        return Err(unusable(&files.certificate, Problem::NoCertificate));
    }
    let key = PrivateKeyDer::from_pem_slice(&pem);
    // All blocks have been parsed for the certificates, so the only error left is that none of them is a key.
    let key = key.map_err(|_| unusable(key_file, Problem::NoKey))?;
    let key = provider.key_provider.load_private_key(key);
    let key = key.map_err(|error| unusable_because(key_file, Problem::UnknownKey, error.into()))?;
    let identity = CertifiedKey::new(chain, key);
    let problem = match identity.keys_match() {
        // For keys in hardware, it is unknown whether they match.
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
            return Ok(identity);
        }
        Err(rustls::Error::InvalidCertificate(error)) if is_version_1(&error) => Problem::Version1,
        Err(rustls::Error::InvalidCertificate(_)) => Problem::Malformed,
        Err(_) => Problem::OtherKey {
            key: files.key.clone(),
        },
    };
    Err(unusable(&files.certificate, problem))
}

fn unusable(path: &Path, problem: Problem) -> Error {
    Error::ClientCertificate {
        path: path.to_owned(),
        problem,
        source: None,
    }
}

fn unusable_because(path: &Path, problem: Problem, cause: Cause) -> Error {
    Error::ClientCertificate {
        path: path.to_owned(),
        problem,
        source: Some(cause),
    }
}

/// Returns whether a certificate has version 1. The type of this error belongs to a library below the TLS library, so
/// its text, which is the name of the variant, is compared.
fn is_version_1(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(error) if error.to_string() == "UnsupportedCertVersion")
}

fn contains(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
#[path = "tests/identity.rs"]
mod tests;
