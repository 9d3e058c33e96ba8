//! The settings of TLS connections: trusted authorities, and the client certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::oci::error::Error;
use crate::oci::hosts::ClientCertificate;

use super::authorities::Authorities;
use super::identity::read_identity;
use super::pem::{is_binary, mistake, read};

/// The settings of TLS connections to one endpoint.
pub(super) struct Tls {
    provider: Arc<CryptoProvider>,
    authorities: Vec<CertificateDer<'static>>,
    identity: Option<CertifiedKey>,
    skip_verify: bool,
    /// Whether environment variables that choose the certificate authorities are ignored.
    isolated: bool,
}

impl Tls {
    /// Reads the files of certificates. Blocks.
    ///
    /// The cryptography provider is passed explicitly. `rustls` can also have a provider for the whole process, but the
    /// embedding program has to choose that one.
    pub(super) fn read<'a>(
        authorities: impl IntoIterator<Item = &'a PathBuf>,
        client_certificate: Option<&ClientCertificate>,
        skip_verify: bool,
    ) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut read = Vec::new();
        for path in authorities {
            read.extend(read_authorities(path)?);
        }
        let identity = client_certificate.map(|files| read_identity(files, &provider));
        Ok(Self {
            identity: identity.transpose()?,
            provider,
            authorities: read,
            skip_verify,
            isolated: false,
        })
    }

    /// Sets whether environment variables that choose the certificate authorities are ignored.
    pub(super) fn isolated(self, isolated: bool) -> Self {
        Self { isolated, ..self }
    }

    /// Returns the configuration of the TLS library. With `at_once`, loads the certificate authorities of the system
    /// now, which blocks. Otherwise they are loaded when the first certificate is verified.
    pub(super) fn config(self, at_once: bool) -> Result<ClientConfig, Error> {
        let verifier: Arc<dyn ServerCertVerifier> = if self.skip_verify {
            Arc::new(AcceptAny(self.provider.signature_verification_algorithms))
        } else {
            let authorities =
                Authorities::new(self.authorities, Arc::clone(&self.provider), self.isolated);
            if at_once {
                authorities.load()?;
            }
            Arc::new(authorities)
        };
        let builder = ClientConfig::builder_with_provider(self.provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match self.identity {
            Some(identity) => {
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
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
    let certificates = certificates.map_err(|error| {
        let cause = mistake(&error, "certificate");
        unusable(format!("it is not PEM ({cause})"))
    })?;
    if certificates.is_empty() {
        let reason = if is_binary(&pem) {
            "it is binary, such as DER or PKCS #12, and not PEM"
        } else {
            "it contains no certificate"
        };
        return Err(unusable(reason.to_owned()));
    }
    for certificate in &certificates {
        let added = RootCertStore::empty().add(certificate.clone());
        added
            .map_err(|error| unusable(format!("one of its certificates is malformed ({error})")))?;
    }
    Ok(certificates)
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
