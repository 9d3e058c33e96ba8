//! Checking the token services that registries name.
//!
//! The server chooses the realm of a challenge. A registry that an attacker controls could name any host there and
//! collect passwords.

use public_suffix::{DEFAULT_PROVIDER, EffectiveTLDProvider};
use reqwest::Url;

use crate::oci::names::is_loopback_url;

/// Returns the URL of the token service `realm` that the server at `registry` names, or the reason why it must not be
/// used. `secret` says whether credentials would be sent to it.
pub(super) fn check_realm(registry: &Url, realm: &str, secret: bool) -> Result<Url, &'static str> {
    let realm = Url::parse(realm).map_err(|_| "it is not a URL")?;
    if !realm.username().is_empty() || realm.password().is_some() {
        return Err("its URL contains credentials");
    }
    let (from, to) = (registry.host_str(), realm.host_str());
    let both_loopback = is_loopback_url(registry) && is_loopback_url(&realm);
    match realm.scheme() {
        "https" => {}
        // The user chose to use this registry without TLS, so its token service may lack TLS too.
        "http" if both_loopback || registry.scheme() == "http" && from == to => {}
        _ => return Err("it is not https"),
    }
    if is_loopback_url(&realm) && !both_loopback {
        return Err("it is on this machine, but the registry is not");
    }
    if secret && from != to && !both_loopback && !same_domain(registry, &realm) {
        return Err("it is not in the registry's domain, and credentials would be sent to it");
    }
    Ok(realm)
}

/// Returns whether both URLs are in one registrable domain, such as `registry-1.docker.io` and `auth.docker.io`.
fn same_domain(one: &Url, other: &Url) -> bool {
    let registrable = |url: &Url| {
        let host = url.domain()?.trim_end_matches('.').to_owned();
        let domain = DEFAULT_PROVIDER.effective_tld_plus_one(&host).ok()?;
        Some(domain.to_owned())
    };
    registrable(one).is_some_and(|one| registrable(other) == Some(one))
}

#[cfg(test)]
#[path = "tests/realm.rs"]
mod tests;
