//! Where a registry is, and whether a host is it.

use std::net::IpAddr;

use reqwest::Url;

use super::super::error::{Error, one_line};
use super::super::hosts::Host;
use super::RegistryOptions;

/// Where the API of `registry` itself begins.
pub(super) fn base_of(
    registry: &str,
    host: &Host,
    options: &RegistryOptions,
) -> Result<Url, Error> {
    let tls = options.skip_tls_verify
        || options.client_certificate.is_some()
        || !options.certificate_authorities.is_empty()
        || host.has_tls_settings();
    let url = root("https", registry).and_then(|url| {
        let plain = options.plain_http || is_loopback(&url) && !tls;
        if plain {
            root("http", registry)
        } else {
            Some(url)
        }
    });
    let url = url.and_then(|url| url.join("v2").ok());
    // A parsed reference always makes a URL.
    url.ok_or_else(|| Error::Name {
        name: one_line(registry),
    })
}

fn root(scheme: &str, registry: &str) -> Option<Url> {
    let host = match registry {
        "docker.io" => "registry-1.docker.io",
        other => other,
    };
    Url::parse(&format!("{scheme}://{host}")).ok()
}

/// The one name of a registry, however it is written: without the port that HTTPS has anyway, an address
/// in its usual form, and Docker Hub as `docker.io`.
pub(in crate::oci) fn one_name(registry: &str) -> String {
    let name = root("https", registry).map(|url| authority(&url));
    match name.as_deref() {
        Some("index.docker.io" | "registry-1.docker.io") => "docker.io".to_owned(),
        Some(name) => name.to_owned(),
        None => registry.to_owned(),
    }
}

/// Whether `url` is at `registry` itself, as opposed to a mirror of it.
pub(super) fn is_at(registry: &str, url: &Url) -> bool {
    root(url.scheme(), registry).is_some_and(|root| root.origin() == url.origin())
}

/// The host, with its port when that is not the scheme's own.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Whether `registry` is on this machine.
pub(in crate::oci) fn is_local(registry: &str) -> bool {
    root("http", registry).is_some_and(|url| is_loopback(&url))
}

/// Whether the URL is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::hosts::find;

    fn base(registry: &str, options: &RegistryOptions) -> String {
        let folder = tempfile::tempdir().unwrap();
        let hosts = find(registry, Some(folder.path())).unwrap();
        let url = base_of(registry, &hosts[0], options).unwrap();
        assert!(is_at(registry, &url));
        url.to_string()
    }

    #[test]
    fn loopback_is_plain_docker_hub_is_somewhere_else_and_the_rest_is_https() {
        let url = |registry: &str| base(registry, &RegistryOptions::default());
        assert_eq!(url("localhost:5000"), "http://localhost:5000/v2");
        assert_eq!(url("127.8.8.8"), "http://127.8.8.8/v2");
        assert_eq!(url("[::1]:5000"), "http://[::1]:5000/v2");
        assert_eq!(url("ghcr.io"), "https://ghcr.io/v2");
        assert_eq!(url("docker.io"), "https://registry-1.docker.io/v2");
    }

    #[test]
    fn tls_options_mean_tls_on_loopback_and_insecure_means_plain_everywhere() {
        let tls = RegistryOptions {
            skip_tls_verify: true,
            ..RegistryOptions::default()
        };
        assert_eq!(base("localhost", &tls), "https://localhost/v2");
        let plain = RegistryOptions {
            plain_http: true,
            ..RegistryOptions::default()
        };
        assert_eq!(base("ghcr.io", &plain), "http://ghcr.io/v2");
    }

    #[test]
    fn a_registry_has_one_name_however_it_is_written() {
        for (name, written) in [
            ("ghcr.io", &["ghcr.io", "ghcr.io:443", "ghcr.io:0443"][..]),
            ("ghcr.io:8443", &["ghcr.io:8443", "ghcr.io:08443"]),
            (
                "docker.io",
                &[
                    "docker.io:443",
                    "index.docker.io:443",
                    "registry-1.docker.io",
                ],
            ),
            (
                "127.0.0.1:5000",
                &["127.1:5000", "0x7f.1:5000", "2130706433:5000"],
            ),
            ("[::1]:5000", &["[0:0::1]:5000", "[::0001]:5000"]),
            ("docker.io.evil.test", &["docker.io.evil.test"]),
        ] {
            assert_eq!(one_name(name), name);
            for written in written {
                assert_eq!(one_name(written), name, "{written}");
            }
        }
    }

    #[test]
    fn a_port_makes_another_host_unless_it_is_the_schemes_own() {
        let at = |registry, url| is_at(registry, &Url::parse(url).unwrap());
        assert!(at("ghcr.io:443", "https://ghcr.io/v2"));
        assert!(at("docker.io", "https://registry-1.docker.io/v2"));
        assert!(!at("ghcr.io", "https://ghcr.io:8443/v2"));
        assert!(!at("ghcr.io:443", "http://ghcr.io/v2"));
        assert!(!at("ghcr.io", "https://mirror.ghcr.io/v2"));
    }
}
