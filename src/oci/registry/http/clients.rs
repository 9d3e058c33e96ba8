//! The HTTP clients of an endpoint: time limits, redirects, TLS, proxies.

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use crate::oci::error::Error;
use crate::oci::hosts::Host;
use crate::oci::names::is_loopback_url;
use crate::oci::registry::options::RegistryOptions;

use super::proxies::Proxies;
use super::tls::Tls;

/// The HTTP clients of one endpoint. They are cheap to clone. They do not follow redirects, because the transport does.
#[derive(Clone)]
pub(crate) struct Clients {
    /// The client for reads. A request fails when no byte arrives for the stall timeout.
    pub(crate) reading: Client,
    /// The client for writes and for token services. It has no time limit for silence, because `reqwest` would count
    /// the time for sending a body as silence of the server.
    pub(crate) writing: Client,
    proxies: Proxies,
}

impl Clients {
    /// Sets up the clients for the endpoint at `base`, which is the registry itself or one of its
    /// mirrors. Blocks to read certificates.
    pub(in crate::oci) fn new(
        options: &RegistryOptions,
        host: &Host,
        base: &Url,
        is_mirror: bool,
    ) -> Result<Self, Error> {
        let authorities = options.certificate_authorities.iter();
        let for_registry = options.client_certificate.as_ref().filter(|_| !is_mirror);
        let tls = Tls::read(
            authorities.chain(&host.certificate_authorities),
            host.client_certificate.as_ref().or(for_registry),
            options.skip_tls_verify || host.skip_tls_verify,
        )?
        .isolated(options.isolated);
        // For the registry itself, which is asked last, missing authorities are reported at once.
        let tls = tls.config(base.scheme() == "https" && !is_mirror)?;
        let proxies = match &host.proxy {
            Some(url) => Proxies::all(url.clone(), host.name_of_file()),
            // A loopback host is this machine. For a proxy, the same name would mean the machine of the proxy.
            None if is_loopback_url(base) || options.isolated => Proxies::None,
            None => Proxies::from_environment(|name| std::env::var_os(name))?,
        };
        let builder = || {
            let builder = Client::builder()
                // Answers must not be compressed, because digests are computed over the content itself.
                .default_headers(HeaderMap::from_iter([(
                    ACCEPT_ENCODING,
                    HeaderValue::from_static("identity"),
                )]))
                .user_agent(concat!("wasmcloud-par/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(options.retry.connect_timeout)
                .tls_backend_preconfigured(tls.clone())
                // Parallel transfers need separate connections. In addition, with HTTP/2 `hyper` loses the alert of a
                // server that asks for a client certificate.
                .http1_only()
                .redirect(Policy::none());
            proxies.apply(builder)
        };
        let reading = builder().read_timeout(options.retry.stall_timeout);
        Ok(Self {
            reading: reading.build().map_err(unusable)?,
            writing: builder().build().map_err(unusable)?,
            proxies,
        })
    }

    /// Returns the error for a request to `url` that failed with `error`. It names the proxy of the request if the
    /// proxy may be the reason.
    pub(crate) fn explain(&self, error: Error, url: &Url) -> Error {
        self.proxies.explain(error, url)
    }

    /// Returns the error for an answer with `status` to a request to `url`, if the answer comes from a proxy.
    pub(crate) fn proxy_refusal(&self, status: StatusCode, url: &Url) -> Option<Error> {
        self.proxies.refusal(status, url)
    }
}

/// Checks the certificates of `options`. Blocks to read them.
pub(crate) fn check_certificates(options: &RegistryOptions) -> Result<(), Error> {
    Tls::read(
        &options.certificate_authorities,
        options.client_certificate.as_ref(),
        options.skip_tls_verify,
    )
    .map(drop)
}

fn unusable(source: reqwest::Error) -> Error {
    Error::Client {
        source: source.without_url().into(),
    }
}
