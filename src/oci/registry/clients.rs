//! The HTTP clients: time limits, redirects, TLS.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Once;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Url};

use super::super::error::Error;
use super::RegistryOptions;

const REDIRECT_LIMIT: usize = 10;
/// The largest file of certificate authorities that is read, in bytes; the system's are 250 KB.
const CERTIFICATES_LIMIT: u64 = 16 * 1024 * 1024;

pub(super) struct Clients {
    /// For reading: follows redirects, gives up when nothing comes.
    pub(super) reading: Client,
    /// For writing and for secrets: follows no redirects. Without a time limit of its own, because
    /// `reqwest` counts the time that a request's body takes as silence of the server.
    pub(super) writing: Client,
}

impl Clients {
    pub(super) fn new(options: &RegistryOptions) -> Result<Self, Error> {
        use_ring();
        let mut certificates = Vec::new();
        for path in &options.certificate_authorities {
            certificates.extend(read_certificates(path)?);
        }
        let builder = || -> ClientBuilder {
            Client::builder()
                .user_agent(concat!("wasmcloud-par/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(options.retry.connect_timeout)
                .tls_certs_merge(certificates.iter().cloned())
                .tls_danger_accept_invalid_certs(options.skip_tls_verify)
                .referer(false)
        };
        let build = |builder: ClientBuilder| {
            builder.build().map_err(|source| Error::Client {
                source: source.without_url(),
            })
        };
        let stall_timeout = options.retry.stall_timeout;
        let reading = build(builder().read_timeout(stall_timeout).redirect(redirects()))?;
        let writing = build(builder().redirect(Policy::none()))?;
        Ok(Self { reading, writing })
    }
}

/// Redirects of reads: to storage and content networks, never down to plain HTTP. `reqwest` takes
/// the credentials out when host, port or scheme change.
fn redirects() -> Policy {
    Policy::custom(|attempt| {
        let from = attempt.previous().last().map(Url::scheme);
        let downgrade = from == Some("https") && attempt.url().scheme() != "https";
        if downgrade {
            attempt.error("it leads from https to plain http")
        } else if attempt.previous().len() > REDIRECT_LIMIT {
            attempt.error("it is the eleventh in a row")
        } else {
            attempt.follow()
        }
    })
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let unusable = |reason: String| Error::CertificateAuthority {
        path: path.to_owned(),
        reason,
    };
    let mut pem = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(CERTIFICATES_LIMIT).read_to_end(&mut pem));
    read.map_err(|error| unusable(error.to_string()))?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|_| unusable("it is not PEM".to_owned()))?;
    if certificates.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(certificates)
}

/// `reqwest` is built without a cryptography provider of its own, and panics without one.
fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the embedding program has chosen one already, and its choice stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificate_authorities_that_are_none_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        for (content, expected) in [("", "no certificate"), ("garbage", "no certificate")] {
            std::fs::write(&path, content).unwrap();
            let options = RegistryOptions {
                certificate_authorities: vec![path.clone()],
                ..RegistryOptions::default()
            };
            let error = Clients::new(&options).err().unwrap().to_string();
            assert!(
                error.contains(expected) && error.contains("ca.pem"),
                "{error}"
            );
        }
    }
}
