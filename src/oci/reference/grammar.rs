//! The grammar of hosts, repositories and tags, as in
//! [distribution](https://pkg.go.dev/github.com/distribution/reference).
//!
//! `oci-client` accepts the same names, but compiles a regular expression for them. That takes 70 ms and 20 MB, several
//! times as much as the rest of a fetch from the cache.

/// The longest name of a repository, in bytes.
pub(super) const REPOSITORY_LIMIT: usize = 255;
/// The longest tag, in bytes.
pub(super) const TAG_LIMIT: usize = 128;
/// The longest name of a host, in bytes (RFC 1035, section 2.3.4, without the root).
pub(super) const HOST_LIMIT: usize = 253;
/// The longest part of the name of a host, in bytes (RFC 1035, section 2.3.4).
pub(super) const LABEL_LIMIT: usize = 63;
/// The longest name in an image layout, in bytes: a host with a port, a repository, and a tag.
const LAYOUT_NAME_LIMIT: usize = HOST_LIMIT + 6 + 1 + REPOSITORY_LIMIT + 1 + TAG_LIMIT;

/// Returns whether `text` is a host name or an IPv4 address, with or without a port.
pub(super) fn is_host(text: &str) -> bool {
    let (name, port) = text.rsplit_once(':').unwrap_or((text, "443"));
    port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0)
        && name.split('.').all(is_label)
}

/// Returns whether `label` is a part of a host name. Underscores are allowed although they are not in the grammar,
/// because hosts in container networks have them.
fn is_label(label: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !label.is_empty()
        && label.bytes().all(letters)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Returns whether `text` is the name of a repository: parts in lower case between slashes.
pub(super) fn is_repository(text: &str) -> bool {
    text.len() <= REPOSITORY_LIMIT && text.split('/').all(is_part)
}

/// Returns whether `part` consists of words of lower-case letters and digits, with one dot, one or two
/// underscores, or any number of hyphens between them.
fn is_part(part: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator = |separator: &str| {
        matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
    };
    part.starts_with(word) && part.ends_with(word) && part.split(word).all(separator)
}

/// Returns whether `text` is a tag (OCI distribution specification, "Pulling manifests").
pub(in crate::oci) fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= TAG_LIMIT
        && text.bytes().next().is_some_and(word)
        && text
            .bytes()
            .all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

/// Returns whether `text` can be the name of a manifest in an image layout: a tag, or a whole reference that other
/// tools write there, such as `ghcr.io/org/provider:1.0`, `org/provider:1.0` or `provider:1.0`.
pub(in crate::oci) fn is_layout_name(text: &str) -> bool {
    let is_whole = || {
        text.len() <= LAYOUT_NAME_LIMIT
            && text.contains(['/', ':'])
            && begins_layout_name(text)
            && tag_in(text).is_none_or(is_tag)
    };
    is_tag(text) || is_whole()
}

/// Returns whether a name in an image layout can begin with `text`, by its characters.
pub(super) fn begins_layout_name(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    // After a colon, a path may continue with `..`.
    let begins = |part: &str| {
        part.bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
    };
    text.split('/')
        .all(|part| begins(part) && part.bytes().all(letters))
}

/// Returns the tag at the end of a whole reference.
pub(in crate::oci) fn tag_in(reference: &str) -> Option<&str> {
    let last = reference.rsplit('/').next()?;
    last.split_once(':').map(|(_, tag)| tag)
}

#[cfg(test)]
#[path = "tests/grammar.rs"]
mod tests;
