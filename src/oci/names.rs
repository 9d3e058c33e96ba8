//! Names of registries: Docker Hub's aliases, the port that HTTPS implies, and loopback hosts.
//!
//! The name of a registry is the same as in references: a host with an optional port.

use std::net::IpAddr;

use reqwest::Url;

/// The canonical name of Docker Hub.
pub(super) const DOCKER_HUB: &str = "docker.io";
/// The host that serves the API of Docker Hub. `docker.io` itself serves a web site.
pub(super) const DOCKER_HUB_HOST: &str = "registry-1.docker.io";
/// The host under which Docker stores credentials for Docker Hub.
pub(super) const DOCKER_HUB_INDEX: &str = "index.docker.io";

/// Returns the canonical name of a registry, which is the same for all spellings: in lower case, without the port 443,
/// with an IP address in its usual form, and `docker.io` for all hosts of Docker Hub.
pub(super) fn canonical_name(registry: &str) -> String {
    let name = server_url("https", registry).map(|url| authority(&url));
    match name.as_deref() {
        Some(DOCKER_HUB_INDEX | DOCKER_HUB_HOST) => DOCKER_HUB.to_owned(),
        Some(name) => name.to_owned(),
        None => registry.to_owned(),
    }
}

/// Returns the URL of the host that serves `registry`, or `None` when the name does not fit into a URL.
pub(super) fn server_url(scheme: &str, registry: &str) -> Option<Url> {
    let host = if registry == DOCKER_HUB {
        DOCKER_HUB_HOST
    } else {
        registry
    };
    Url::parse(&format!("{scheme}://{host}")).ok()
}

/// Returns the host of `url`, with its port when that is not the scheme's default.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

pub(super) fn is_loopback(registry: &str) -> bool {
    server_url("http", registry).is_some_and(|url| is_loopback_url(&url))
}

/// Returns whether the host of `url` is this machine: `localhost`, or a loopback address.
pub(super) fn is_loopback_url(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[path = "tests/names.rs"]
mod tests;
