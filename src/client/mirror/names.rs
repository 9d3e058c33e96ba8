//! Writing the name of a registry as a part of the name of a repository, and a digest as a tag.
//!
//! Names in a mirror contain the registry: `ghcr.io/org/provider` becomes `PREFIX/ghcr.io/org/provider`. Different
//! registries always become different parts:
//!
//! | registry | part |
//! | --- | --- |
//! | `ghcr.io` | `ghcr.io` |
//! | `registry.lan:5000` | `registry.lan__5000` |
//! | `[fd00::1]:5000` | `fd00-0-0-0-0-0-0-1.ipv6-literal.net__5000` |
//!
//! `ipv6-literal.net` is how Windows writes IPv6 addresses where colons are not allowed.

use std::net::Ipv6Addr;

use crate::content::Digest;

/// The text between a host and its port.
const PORT: &str = "__";
/// The suffix of an IPv6 address.
const IPV6: &str = ".ipv6-literal.net";
/// The prefix of a tag that is made of a digest.
const DIGEST: &str = "digest-";
/// How many digits of a digest such a tag has.
const DIGITS: usize = 64;

/// Returns the part of a repository's name for `registry`. Returns `None` if the name of a repository cannot have the
/// characters of the host, or if the host has two underscores in a row, which are reserved for the port.
pub(super) fn part_of(registry: &str) -> Option<String> {
    let (host, port) = split_port(registry);
    let host = match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => ipv6(address.parse().ok()?),
        None => host.to_owned(),
    };
    let is_readable = !host.contains(PORT) && host.split('.').all(is_plain_label);
    let part = match port {
        Some(port) => format!("{host}{PORT}{port}"),
        None => host,
    };
    is_readable.then_some(part)
}

fn split_port(registry: &str) -> (&str, Option<&str>) {
    match registry.rsplit_once(':') {
        // A `]` after the last colon means that the colon is part of an IPv6 address.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (registry, None),
    }
}

/// Whether a label of a host can be between two dots in the name of a repository.
fn is_plain_label(label: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut ends = label.bytes().take(1).chain(label.bytes().last());
    !label.is_empty() && ends.all(word)
}

fn ipv6(address: Ipv6Addr) -> String {
    let segments = address.segments().map(|segment| format!("{segment:x}"));
    format!("{}{IPV6}", segments.join("-"))
}

/// Returns the tag that a manifest gets in a mirror if its reference has a digest and no tag. The tag protects the manifest
/// in registries that remove manifests without a tag.
pub(super) fn tag_for(digest: &Digest) -> String {
    let (algorithm, hex) = (digest.algorithm().name(), digest.hex());
    // A tag may have 128 characters.
    let hex = hex.get(..DIGITS).unwrap_or(hex);
    format!("{DIGEST}{algorithm}-{hex}")
}

/// Whether `tag` was made of `digest` by [`tag_for`].
pub(super) fn is_tag_for(tag: &str, digest: &Digest) -> bool {
    tag == tag_for(digest)
}

#[cfg(test)]
#[path = "tests/names.rs"]
mod tests;
