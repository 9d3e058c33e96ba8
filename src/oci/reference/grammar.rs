//! The grammar of hosts, repositories and tags, as in
//! [distribution](https://pkg.go.dev/github.com/distribution/reference).
//!
//! `oci-client` accepts the same names and compiles a regular expression for them. That takes 70 ms and
//! 20 MB, several times as much as the rest of a fetch from the cache.

/// The longest name of a repository, in bytes.
const REPOSITORY_LIMIT: usize = 255;

/// Returns whether `text` is a host name or an IPv4 address, with or without a port.
pub(super) fn is_host(text: &str) -> bool {
    let (name, port) = text.rsplit_once(':').unwrap_or((text, "443"));
    port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0)
        && name.split('.').all(is_label)
}

/// Returns whether `label` is a part of a host name. Underscores are not in the grammar, and occur in the
/// names of hosts in container networks.
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
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text
            .bytes()
            .all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

#[cfg(test)]
#[path = "tests/grammar.rs"]
mod tests;
