//! Which token services may be asked on behalf of a registry.
//!
//! The realm of a challenge is text that the server chose. A registry that was taken over, or that a user was
//! tricked into naming, could name any host there and collect passwords.

use reqwest::Url;

use crate::oci::names::is_loopback_url;

/// Returns the URL of the token service `realm` that the server at `registry` names. `secret`: whether
/// credentials are sent along.
///
/// # Errors
///
/// The reason why the token service must not be asked.
pub(super) fn check_realm(registry: &Url, realm: &str, secret: bool) -> Result<Url, &'static str> {
    let realm = Url::parse(realm).map_err(|_| "it is not a URL")?;
    if !realm.username().is_empty() || realm.password().is_some() {
        return Err("its URL holds credentials");
    }
    let (from, to) = (registry.host_str(), realm.host_str());
    let both_loopback = is_loopback_url(registry) && is_loopback_url(&realm);
    match realm.scheme() {
        "https" => {}
        // The user chose to reach this registry without TLS; its token service has none either.
        "http" if both_loopback || registry.scheme() == "http" && from == to => {}
        _ => return Err("it is not https"),
    }
    if is_loopback_url(&realm) && !both_loopback {
        return Err("it is on this machine, and the registry is not");
    }
    if secret && from != to && !both_loopback && !same_domain(registry, &realm) {
        return Err("it is not in the registry's domain, and credentials would be sent to it");
    }
    Ok(realm)
}

/// Returns whether both URLs are in one registrable domain, as `registry-1.docker.io` and `auth.docker.io` are.
fn same_domain(one: &Url, other: &Url) -> bool {
    let registrable = |url: &Url| {
        let host = url.domain()?.trim_end_matches('.').to_owned();
        psl::domain_str(&host).map(str::to_owned)
    };
    match (registrable(one), registrable(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
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
}
