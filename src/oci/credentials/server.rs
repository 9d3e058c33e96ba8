//! What registries are called in files, and by helpers.

/// What Docker calls Docker Hub.
pub(super) const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// What Docker calls `registry` in its files and to its helpers.
pub(super) fn server(registry: &str) -> &str {
    match canonical(registry) {
        "docker.io" => DOCKER_HUB,
        other => other,
    }
}

/// Whether `key`, as a file or a person writes it, means `registry` as a whole.
pub(super) fn is_same_registry(key: &str, registry: &str) -> bool {
    scope_within(key, registry).is_some_and(str::is_empty)
}

/// The part of `registry` that `key` is about, which is empty for all of it; `None` when it is about
/// another registry.
pub(super) fn scope_within<'a>(key: &'a str, registry: &str) -> Option<&'a str> {
    let (host, scope) = parts(key);
    (canonical(&host.to_ascii_lowercase()) == canonical(registry)).then_some(scope)
}

/// The host that a key is about, and the part of its repositories, which is empty for all of them.
fn parts(key: &str) -> (&str, &str) {
    let address = ["https://", "http://"]
        .iter()
        .find_map(|scheme| key.strip_prefix(scheme));
    match address {
        // The path of an address (`/v1/`) says nothing about repositories.
        Some(address) => (address.split('/').next().unwrap_or(address), ""),
        None => {
            let (host, scope) = key.split_once('/').unwrap_or((key, ""));
            (host, scope.trim_end_matches('/'))
        }
    }
}

/// Docker Hub by its one name, and every other registry by its own.
fn canonical(registry: &str) -> &str {
    match registry {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    }
}
