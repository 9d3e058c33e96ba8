//! The names of registries as a part of a repository's name, and of digests as tags.
//!
//! A registry is a part of the names in a mirror: `ghcr.io/org/provider` is `PREFIX/ghcr.io/org/provider` there. No two
//! registries have one name, and each can be read back:
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

/// What stands between a host and its port.
const PORT: &str = "__";
/// What an IPv6 address ends with.
const IPV6: &str = ".ipv6-literal.net";
/// What the tag for a manifest that has no tag begins with.
const DIGEST: &str = "digest-";
/// How many digits of a digest are in a tag.
const DIGITS: usize = 64;

/// Returns the part of a name that stands for `registry`. `None`: its host has characters that no repository may have,
/// or two underscores in a row, which stand before a port.
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
        // The colons of an IPv6 address are before its bracket.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (registry, None),
    }
}

/// Whether a label of a host can be between two points in the name of a repository.
fn is_plain_label(label: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut ends = label.bytes().take(1).chain(label.bytes().last());
    !label.is_empty() && ends.all(word)
}

fn ipv6(address: Ipv6Addr) -> String {
    let segments = address.segments().map(|segment| format!("{segment:x}"));
    format!("{}{IPV6}", segments.join("-"))
}

/// Returns the tag under which a mirror keeps a manifest that is asked for by its digest alone. A registry that removes
/// manifests without a tag keeps it.
pub(super) fn tag_for(digest: &Digest) -> String {
    let (algorithm, hex) = (digest.algorithm().name(), digest.hex());
    // A tag may have 128 characters.
    let hex = hex.get(..DIGITS).unwrap_or(hex);
    format!("{DIGEST}{algorithm}-{hex}")
}

/// Whether `tag` is the one for a manifest without a tag, which has this digest.
pub(super) fn is_tag_for(tag: &str, digest: &Digest) -> bool {
    tag == tag_for(digest)
}

#[cfg(test)]
#[path = "tests/names.rs"]
mod tests;
