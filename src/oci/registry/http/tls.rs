//! TLS: which certificates are trusted, and which one is shown.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::content::read_bounded;
use crate::oci::error::Error;
use crate::oci::hosts::ClientCertificate;

/// The largest file of certificates that is read, in bytes; the system's authorities take 250 KB.
const CERTIFICATES_LIMIT: u64 = 16 * 1024 * 1024;

/// What is trusted, and what is shown, in TLS connections to one endpoint.
pub(super) struct Tls {
    authorities: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
    skip_verify: bool,
}

/// A client certificate and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    /// The files that they were read from.
    files: ClientCertificate,
}

impl Tls {
    /// Reads the files of certificates. Blocks.
    pub(super) fn read<'a>(
        authorities: impl IntoIterator<Item = &'a PathBuf>,
        client_certificate: Option<&ClientCertificate>,
        skip_verify: bool,
    ) -> Result<Self, Error> {
        let mut read = Vec::new();
        for path in authorities {
            read.extend(read_authorities(path)?);
        }
        Ok(Self {
            authorities: read,
            identity: client_certificate.map(read_identity).transpose()?,
            skip_verify,
        })
    }

    /// Returns the configuration of the TLS library. Blocks to read the system's certificate
    /// authorities.
    ///
    /// The cryptography provider is named here. `rustls` can have one for the whole process too, which
    /// is for the embedding program to choose.
    pub(super) fn config(self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = if self.skip_verify {
            Arc::new(AcceptAny(provider.signature_verification_algorithms))
        } else {
            Arc::new(system_verifier(self.authorities, &provider).map_err(unusable)?)
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match self.identity {
            Some(Identity { chain, key, files }) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|_| not_a_pair(&files))?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Returns a verifier that trusts the authorities of the system, and `authorities` in addition.
fn system_verifier(
    authorities: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    #[cfg(not(target_os = "android"))]
    return Verifier::new_with_extra_roots(authorities, Arc::clone(provider));
    #[cfg(target_os = "android")]
    return Verifier::new(Arc::clone(provider));
}

fn unusable(source: rustls::Error) -> Error {
    Error::Client {
        source: source.into(),
    }
}

fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unusable = |reason: String| Error::CertificateAuthority {
        path: path.to_owned(),
        reason,
    };
    let pem = read(path).map_err(Error::file(path))?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|_| unusable("it is not PEM".to_owned()))?;
    if certificates.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(certificates)
}

fn read_identity(files: &ClientCertificate) -> Result<Identity, Error> {
    let mut pem = Vec::new();
    for path in std::iter::once(&files.certificate).chain(&files.key) {
        pem.extend(read(path).map_err(Error::file(path))?);
        pem.push(b'\n');
    }
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    match (chain, PrivateKeyDer::from_pem_slice(&pem)) {
        (Ok(chain), Ok(key)) if !chain.is_empty() => Ok(Identity {
            chain,
            key,
            files: files.clone(),
        }),
        _ => Err(not_a_pair(files)),
    }
}

fn not_a_pair(files: &ClientCertificate) -> Error {
    Error::ClientCertificate {
        path: files.certificate.clone(),
        reason: match &files.key {
            Some(key) => format!("it and {} are not a certificate and its key", key.display()),
            None => "it does not hold a certificate and its key".to_owned(),
        },
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_bounded(File::open(path)?, CERTIFICATES_LIMIT)
}

/// Accepts every certificate of a server.
#[derive(Debug)]
struct AcceptAny(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
#[path = "tests/tls.rs"]
mod tests;
