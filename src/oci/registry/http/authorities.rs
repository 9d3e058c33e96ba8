//! The certificate authorities of the system. They are loaded only when a certificate is verified for the first time,
//! because plain HTTP does not need them.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, OtherError, SignatureScheme};

use crate::oci::error::Error;

use super::system_authorities::{NoAuthorities, verifier};

/// Verifies the certificates of servers with the authorities of the system, and with additional ones.
#[derive(Debug)]
pub(super) struct Authorities {
    more: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    /// Whether environment variables that choose the authorities are ignored.
    isolated: bool,
    loaded: OnceLock<Result<Arc<dyn ServerCertVerifier>, NoAuthorities>>,
}

impl Authorities {
    pub(super) fn new(
        more: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
        isolated: bool,
    ) -> Self {
        Self {
            more,
            provider,
            isolated,
            loaded: OnceLock::new(),
        }
    }

    /// Loads the authorities of the system, unless they are loaded. Blocks.
    pub(super) fn load(&self) -> Result<(), Error> {
        self.verifier()
            .map(drop)
            .map_err(|error| error.clone().into())
    }

    fn verifier(&self) -> Result<&Arc<dyn ServerCertVerifier>, &NoAuthorities> {
        let load = || verifier(self.more.clone(), &self.provider, self.isolated);
        self.loaded.get_or_init(load).as_ref()
    }
}

impl From<NoAuthorities> for Error {
    fn from(error: NoAuthorities) -> Self {
        let NoAuthorities { place, reason } = error;
        Self::NoAuthorities { place, reason }
    }
}

/// Returns the error because of which [`Authorities`] could not verify a certificate, if that is the cause of `error`.
pub(super) fn no_authorities_behind(error: &rustls::Error) -> Option<Error> {
    match error {
        rustls::Error::Other(OtherError(error)) => {
            let error: &NoAuthorities = error.downcast_ref()?;
            Some(error.clone().into())
        }
        _ => None,
    }
}

impl ServerCertVerifier for Authorities {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verifier = self.verifier();
        let verifier = verifier.map_err(|error| OtherError(Arc::new(error.clone())))?;
        verifier.verify_server_cert(certificate, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
