//! The HTTP clients: time limits, redirects, TLS, proxies.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Proxy, Url};
use tokio::sync::OnceCell;

use super::super::blocking;
use super::super::error::Error;
use super::super::hosts::{ClientCertificate, Host};
use super::super::names::is_loopback_url;
use super::RegistryOptions;

const REDIRECT_LIMIT: usize = 10;
/// The largest file of certificates that is read, in bytes; the system's authorities are 250 KB.
const CERTIFICATES_LIMIT: u64 = 16 * 1024 * 1024;

/// The clients for one host. Cheap to clone.
#[derive(Clone)]
pub(super) struct Clients {
    /// For reading: follows redirects, gives up when nothing comes.
    pub(super) reading: Client,
    writing: Arc<OnceCell<Client>>,
    setup: Arc<Setup>,
}

impl Clients {
    /// For the host at `base`. `itself`: that is the registry, not one of its mirrors. Blocks: it reads
    /// certificates.
    pub(super) fn new(
        options: &RegistryOptions,
        host: &Host,
        base: &Url,
        itself: bool,
    ) -> Result<Self, Error> {
        let setup = Setup::new(options, host, base, itself)?;
        let reading = setup.builder().read_timeout(options.retry.stall_timeout);
        Ok(Self {
            reading: setup.build(reading.redirect(redirects()))?,
            writing: Arc::default(),
            setup: Arc::new(setup),
        })
    }

    /// For writing and for secrets: follows no redirects. Without a time limit of its own, because
    /// `reqwest` counts the time that a request's body takes as silence of the server.
    ///
    /// Made when it is first needed, as each client reads all certificate authorities of the system: a
    /// third of the time in which a host fetches what it has in its cache.
    pub(super) async fn writing(&self) -> Result<&Client, Error> {
        let make = || async {
            let setup = Arc::clone(&self.setup);
            blocking(move || setup.build(setup.builder().redirect(Policy::none()))).await
        };
        self.writing.get_or_try_init(make).await
    }
}

/// What the clients for one host have in common.
struct Setup {
    connect_timeout: Duration,
    authorities: Vec<Certificate>,
    /// With what it was read from.
    identity: Option<(Identity, ClientCertificate)>,
    proxy: Option<Proxy>,
    is_loopback: bool,
    skip_verify: bool,
}

impl Setup {
    fn new(
        options: &RegistryOptions,
        host: &Host,
        base: &Url,
        itself: bool,
    ) -> Result<Self, Error> {
        use_ring();
        let mut authorities = Vec::new();
        for path in (options.certificate_authorities.iter()).chain(&host.certificate_authorities) {
            authorities.extend(read_authorities(path)?);
        }
        let certificate = host.client_certificate.as_ref();
        let certificate = certificate.or(options.client_certificate.as_ref().filter(|_| itself));
        let identity = match certificate {
            Some(from) => Some((read_identity(from)?, from.clone())),
            None => None,
        };
        let proxy = host.proxy.as_ref().map(|url| Proxy::all(url.clone()));
        Ok(Self {
            connect_timeout: options.retry.connect_timeout,
            authorities,
            identity,
            proxy: proxy.transpose().map_err(unusable)?,
            is_loopback: is_loopback_url(base),
            skip_verify: options.skip_tls_verify || host.skip_tls_verify,
        })
    }

    fn builder(&self) -> ClientBuilder {
        let mut builder = Client::builder()
            .user_agent(concat!("wasmcloud-par/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.connect_timeout)
            .tls_certs_merge(self.authorities.iter().cloned())
            .tls_danger_accept_invalid_certs(self.skip_verify)
            // Transfers side by side get connections of their own. And with HTTP/2 `hyper` loses what
            // a server says when it wants a client certificate.
            .http1_only()
            .referer(false);
        if let Some((identity, _)) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            // A proxy's own loopback is another machine's.
            None if self.is_loopback => builder.no_proxy(),
            None => builder,
        }
    }

    fn build(&self, builder: ClientBuilder) -> Result<Client, Error> {
        builder.build().map_err(|error| match &self.identity {
            Some((_, from)) if is_mismatch(&error) => no_pair(from),
            _ => unusable(error),
        })
    }
}

/// Reads the certificates that `options` name, to find out whether they are some.
pub(super) fn check(options: &RegistryOptions) -> Result<(), Error> {
    use_ring();
    for path in &options.certificate_authorities {
        read_authorities(path)?;
    }
    options
        .client_certificate
        .as_ref()
        .map_or(Ok(()), |certificate| read_identity(certificate).map(drop))
}

fn unusable(source: reqwest::Error) -> Error {
    Error::Client {
        source: source.without_url().into(),
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

fn read_authorities(path: &Path) -> Result<Vec<Certificate>, Error> {
    let unusable = |reason: String| Error::CertificateAuthority {
        path: path.to_owned(),
        reason,
    };
    let pem = read(path).map_err(|error| unusable(error.to_string()))?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|_| unusable("it is not PEM".to_owned()))?;
    if certificates.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(certificates)
}

fn read_identity(from: &ClientCertificate) -> Result<Identity, Error> {
    let unusable = |path: &Path, reason: String| Error::ClientCertificate {
        path: path.to_owned(),
        reason,
    };
    let mut pem = Vec::new();
    for path in [Some(&from.certificate), from.key.as_ref()] {
        let Some(path) = path else { continue };
        pem.extend(read(path).map_err(|error| unusable(path, error.to_string()))?);
        pem.push(b'\n');
    }
    Identity::from_pem(&pem).map_err(|_| no_pair(from))
}

fn no_pair(from: &ClientCertificate) -> Error {
    Error::ClientCertificate {
        path: from.certificate.clone(),
        reason: match &from.key {
            Some(key) => format!("it and {} are not a certificate and its key", key.display()),
            None => "it does not hold a certificate and its key".to_owned(),
        },
    }
}

/// Whether a client cannot be set up because a key is that of another certificate.
fn is_mismatch(error: &reqwest::Error) -> bool {
    let source = std::error::Error::source(error);
    let source = source.and_then(|source| source.downcast_ref::<rustls::Error>());
    matches!(source, Some(rustls::Error::InconsistentKeys(_)))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(CERTIFICATES_LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
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
    fn files_without_certificates_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.pem");
        for content in ["", "garbage"] {
            std::fs::write(&path, content).unwrap();
            let authority = RegistryOptions {
                certificate_authorities: vec![path.clone()],
                ..RegistryOptions::default()
            };
            let error = check(&authority).unwrap_err().to_string();
            assert!(error.contains("some.pem"), "{error}");
            assert!(error.contains("no certificate"), "{error}");
            let client = RegistryOptions {
                client_certificate: Some(ClientCertificate::new(path.clone(), None)),
                ..RegistryOptions::default()
            };
            let error = check(&client).unwrap_err().to_string();
            assert!(error.contains("some.pem"), "{error}");
        }
    }
}
