use super::*;
use crate::oci::hosts::find;

fn base(registry: &str, options: &RegistryOptions) -> String {
    let directory = tempfile::tempdir().unwrap();
    let hosts = find(registry, Some(directory.path())).unwrap();
    let url = base_url(registry, &hosts[0], options).unwrap();
    assert!(is_served_at(registry, &url));
    url.to_string()
}

#[test]
fn loopback_registries_are_plain_http_and_all_others_https() {
    let url = |registry: &str| base(registry, &RegistryOptions::default());
    assert_eq!(url("localhost:5000"), "http://localhost:5000/v2");
    assert_eq!(url("127.8.8.8"), "http://127.8.8.8/v2");
    assert_eq!(url("[::1]:5000"), "http://[::1]:5000/v2");
    assert_eq!(url("ghcr.io"), "https://ghcr.io/v2");
    assert_eq!(url("docker.io"), "https://registry-1.docker.io/v2");
}

#[test]
fn tls_options_mean_https_on_loopback_and_plain_http_applies_everywhere() {
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
fn another_port_is_another_server_unless_it_is_the_default() {
    let at = |registry, url| is_served_at(registry, &Url::parse(url).unwrap());
    assert!(at("ghcr.io:443", "https://ghcr.io/v2"));
    assert!(at("docker.io", "https://registry-1.docker.io/v2"));
    assert!(!at("ghcr.io", "https://ghcr.io:8443/v2"));
    assert!(!at("ghcr.io:443", "http://ghcr.io/v2"));
    assert!(!at("ghcr.io", "https://mirror.ghcr.io/v2"));
}
