use super::*;

fn allowed(registry: &str, realm: &str, secret: bool) -> bool {
    check_realm(&Url::parse(registry).unwrap(), realm, secret).is_ok()
}

#[test]
fn credentials_go_only_to_realms_in_the_domain_of_the_registry() {
    let hub = "https://registry-1.docker.io/v2/";
    assert!(allowed(hub, "https://auth.docker.io/token", true));
    assert!(allowed(
        "https://ghcr.io/v2/",
        "https://ghcr.io:8443/token",
        true
    ));
    assert!(!allowed(hub, "https://auth.docker.io.evil.com/token", true));
    assert!(!allowed(
        "https://a.github.io/",
        "https://b.github.io/",
        true
    ));
    assert!(!allowed("https://10.0.0.1/", "https://11.0.0.1/", true));
    assert!(allowed(hub, "https://elsewhere.com/token", false));
}

#[test]
fn plain_http_realms_are_for_registries_that_are_reached_by_plain_http() {
    assert!(!allowed("https://ghcr.io/", "http://ghcr.io/token", false));
    assert!(allowed(
        "http://127.0.0.1:5000/",
        "http://localhost:5001/token",
        true
    ));
    assert!(allowed(
        "http://harbor.lan/",
        "http://harbor.lan/service/token",
        true
    ));
    assert!(!allowed(
        "http://harbor.lan/",
        "http://other.lan/token",
        false
    ));
    assert!(!allowed(
        "https://ghcr.io/",
        "https://127.0.0.1/token",
        false
    ));
    assert!(!allowed(
        "https://ghcr.io/",
        "https://u:p@ghcr.io/token",
        false
    ));
    assert!(!allowed("https://ghcr.io/", "file:///etc/passwd", false));
}
