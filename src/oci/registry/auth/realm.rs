//! Which token services may be asked on behalf of a registry.
//!
//! The realm of a challenge is text that the server chose. A registry that was taken over, or that a
//! user was tricked into naming, could name any host there and collect passwords.

use reqwest::Url;

use crate::oci::names::is_loopback_url;

/// Returns the URL of the token service `realm` that the server at `registry` names, or the reason why it
/// must not be asked. `secret`: whether credentials are sent along.
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

/// Returns whether both URLs are in one registrable domain, as `registry-1.docker.io` and
/// `auth.docker.io` are.
fn same_domain(one: &Url, other: &Url) -> bool {
    let registrable = |url: &Url| {
        let host = url.domain()?.trim_end_matches('.').to_owned();
        psl::domain_str(&host).map(str::to_owned)
    };
    registrable(one).is_some_and(|one| registrable(other) == Some(one))
}

#[cfg(test)]
#[path = "tests/realm.rs"]
mod tests;
