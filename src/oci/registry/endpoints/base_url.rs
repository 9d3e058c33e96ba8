//! The URL of a registry.

use reqwest::Url;

use crate::oci::error::Error;
use crate::oci::hosts::Host;
use crate::oci::names::{is_loopback_url, server_url};

use super::super::options::RegistryOptions;
use super::handshake::speaks_tls;

/// Returns the URL at which the API of `registry` itself begins. For a loopback host, it is a URL of plain HTTP, unless
/// the user has set an option for TLS. Certificate authorities may be meant for other registries, so if these are the
/// only option, the client asks the loopback host whether it speaks TLS. This blocks.
pub(super) fn base_url(
    registry: &str,
    host: &Host,
    options: &RegistryOptions,
) -> Result<Url, Error> {
    let tls =
        options.skip_tls_verify || options.client_certificate.is_some() || host.has_tls_settings();
    // Without an answer, HTTPS is used, because the user has given authorities. So the later error is about TLS.
    let speaks_tls =
        |url: &Url| !options.certificate_authorities.is_empty() && speaks_tls(url).unwrap_or(true);
    let url = server_url("https", registry).and_then(|url| {
        let plain = options.plain_http || is_loopback_url(&url) && !tls && !speaks_tls(&url);
        if plain {
            server_url("http", registry)
        } else {
            Some(url)
        }
    });
    let url = url.and_then(|url| url.join("v2").ok());
    // The registry of a parsed reference always fits into a URL.
    url.ok_or_else(|| Error::name(registry))
}

/// Returns whether `url` is at `registry` itself, and not at a mirror.
pub(super) fn is_served_at(registry: &str, url: &Url) -> bool {
    server_url(url.scheme(), registry).is_some_and(|server| server.origin() == url.origin())
}

#[cfg(test)]
#[path = "tests/base_url.rs"]
mod tests;
