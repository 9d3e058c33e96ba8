//! A host that serves a registry.

use std::path::PathBuf;

use reqwest::Url;
use reqwest::header::HeaderMap;

/// A certificate with which a client identifies itself to a registry (mutual TLS).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// A PEM file with the certificate and the certificates of its intermediate authorities.
    pub certificate: PathBuf,
    /// A PEM file with the unencrypted private key. With `None`, the key is also in `certificate`.
    pub key: Option<PathBuf>,
}

impl ClientCertificate {
    /// Returns the certificate in `certificate`, with the key in `key` or in the same file.
    #[must_use]
    pub fn new(certificate: PathBuf, key: Option<PathBuf>) -> Self {
        Self { certificate, key }
    }
}

/// A kind of request that a host serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::oci) enum Capability {
    /// Downloads of content by its digest.
    Pull,
    /// Resolution of tags.
    Resolve,
    /// Uploads.
    Push,
    /// Lists of referrers.
    Referrers,
}

impl Capability {
    pub(super) const ALL: [Self; 4] = [Self::Pull, Self::Resolve, Self::Push, Self::Referrers];

    pub(in crate::oci) fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Resolve => "resolve",
            Self::Push => "push",
            Self::Referrers => "referrers",
        }
    }
}

/// A host that serves a registry, and the settings for connections to it.
#[derive(Debug, Clone)]
pub(in crate::oci) struct Host {
    /// The root of its API, such as `https://mirror.example/v2`. `None` for the registry itself.
    pub(in crate::oci) base: Option<Url>,
    pub(in crate::oci) capabilities: Vec<Capability>,
    pub(in crate::oci) certificate_authorities: Vec<PathBuf>,
    pub(in crate::oci) client_certificate: Option<ClientCertificate>,
    pub(in crate::oci) skip_tls_verify: bool,
    /// The headers that are sent with each request.
    pub(in crate::oci) headers: HeaderMap,
    /// The proxy for this host. It has priority over the proxies of the environment.
    pub(in crate::oci) proxy: Option<Url>,
    /// The `hosts.toml` with these settings.
    pub(in crate::oci) file: Option<PathBuf>,
}

impl Host {
    /// Returns the registry itself without any settings.
    pub(in crate::oci) fn registry() -> Self {
        Self {
            base: None,
            capabilities: Capability::ALL.to_vec(),
            certificate_authorities: Vec::new(),
            client_certificate: None,
            skip_tls_verify: false,
            headers: HeaderMap::new(),
            proxy: None,
            file: None,
        }
    }

    /// Returns the path of the `hosts.toml` for messages.
    pub(in crate::oci) fn name_of_file(&self) -> String {
        let path = self.file.as_ref();
        path.map_or_else(
            || "hosts.toml".to_owned(),
            |path| path.display().to_string(),
        )
    }

    /// Returns whether the host has settings for TLS. It must speak TLS then.
    pub(in crate::oci) fn has_tls_settings(&self) -> bool {
        self.skip_tls_verify
            || self.client_certificate.is_some()
            || !self.certificate_authorities.is_empty()
    }
}

/// Returns the first of the client certificates, and warns about the others. The TLS library sends a single
/// certificate, and does not choose it by the authorities that the server names.
pub(super) fn first_certificate(certificates: Vec<ClientCertificate>) -> Option<ClientCertificate> {
    let mut certificates = certificates.into_iter();
    let first = certificates.next();
    for unused in certificates {
        tracing::warn!(
            "ignoring the client certificate {}: only the first one is used",
            unused.certificate.display()
        );
    }
    first
}
