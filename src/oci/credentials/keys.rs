//! Keys of registries in files with credentials, and for credential helpers.

use super::super::names::{DOCKER_HUB, canonical_name};

/// Docker's key of Docker Hub.
pub(super) const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Returns the key under which credentials for `registry` are stored.
pub(super) fn key_of(registry: &str) -> String {
    let name = canonical_name(registry);
    if name == DOCKER_HUB {
        DOCKER_HUB_KEY.to_owned()
    } else {
        name
    }
}

/// Returns the keys under which a credential helper may have credentials for `registry`, in the order in which they are
/// tried. Docker stores `ghcr.io:443` under the name that the user wrote.
pub(super) fn helper_keys(registry: &str) -> Vec<String> {
    let key = key_of(registry);
    if registry == key || registry == DOCKER_HUB {
        vec![key]
    } else {
        vec![key, registry.to_owned()]
    }
}

/// Returns whether `key` is for all repositories of `registry`.
pub(super) fn is_same_registry(key: &str, registry: &str) -> bool {
    scope_within(key, registry).is_some_and(str::is_empty)
}

/// Returns the prefix of the repositories of `registry` for which `key` is. It is empty for all repositories. Returns
/// `None` when the key is for another registry.
pub(super) fn scope_within<'a>(key: &'a str, registry: &str) -> Option<&'a str> {
    let (host, scope) = parts(key);
    (canonical_name(host) == canonical_name(registry)).then_some(scope)
}

/// Splits a key into a host and a prefix of its repositories.
fn parts(key: &str) -> (&str, &str) {
    let address = match key.split_once("://") {
        Some((scheme, address)) => ["https", "http"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
            .then_some(address),
        None => None,
    };
    match address {
        // The path of a URL does not name repositories.
        Some(address) => (address.split('/').next().unwrap_or(address), ""),
        None => {
            let (host, scope) = key.split_once('/').unwrap_or((key, ""));
            match scope.trim_end_matches('/') {
                // Docker also leaves the scheme out of the address of the API.
                "v1" | "v2" => (host, ""),
                scope => (host, scope),
            }
        }
    }
}
