//! What registries and repositories may be called, as in the reference grammar of
//! [distribution](https://pkg.go.dev/github.com/distribution/reference).
//!
//! `oci-client`, which reads references the same way, compiles a regular expression for it. That takes 70 ms
//! and 20 MB: several times what all the rest of a fetch from the cache takes.

/// The longest name of a repository, in bytes.
const LONGEST: usize = 255;

/// Whether this is a host name or an IPv4 address, perhaps with a port.
pub(super) fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let port =
        port.is_none_or(|port| digits(port) && port.parse::<u16>().is_ok_and(|port| port > 0));
    port && name.split('.').all(is_label)
}

/// The grammar knows no underscores there, but networks of containers have hosts with some.
fn is_label(label: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !label.is_empty()
        && label.bytes().all(letters)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether this is the name of a repository: parts in lower case between slashes.
pub(super) fn is_repository(text: &str) -> bool {
    text.len() <= LONGEST && text.split('/').all(is_part)
}

/// Words of lower-case letters and digits, with one dot, one or two underscores, or any number of hyphens
/// between them.
fn is_part(part: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator = |separator: &str| {
        matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
    };
    part.starts_with(word) && part.ends_with(word) && part.split(word).all(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_oci_client_takes() {
        let hosts = [
            "ghcr.io",
            "a.b",
            "localhost",
            "localhost:5000",
            "127.0.0.1:1",
            "A.b",
            "x-y.z",
            "x--y.z",
            "-x.y",
            "x-.y",
            "x..y",
            ".x",
            "x.",
            "x_y.z",
            "a.b:",
            "a.b:x",
            "a.b:1:2",
            "ä.b",
            "a b.c",
            "",
        ];
        let repositories = [
            "a", "a/b/c", "a.b", "a..b", "a_b", "a__b", "a___b", "a-b", "a---b", "a-_b", "a._b",
            "-a", "a-", "a/", "/a", "a//b", "A", "a/B", "ä", "a b", "a/.b", "a_/b", "0/1", "",
        ];
        let long = "a".repeat(LONGEST);
        let longer = "a".repeat(LONGEST + 1);
        let repositories = repositories.into_iter().chain([long.as_str(), &longer]);
        let both = |host: &str, repository: &str| {
            // Without a dot or a port, the host would count as a part of the repository.
            let host = if host.contains(['.', ':']) {
                host
            } else {
                "a.b"
            };
            format!("{host}/{repository}:tag").parse::<oci_client::Reference>()
        };
        for host in hosts {
            let named = host.contains(['.', ':']) && both(host, "a").is_ok();
            assert_eq!(is_host(host), named || host == "localhost", "{host}");
        }
        for repository in repositories {
            assert_eq!(
                is_repository(repository),
                both("", repository).is_ok(),
                "{repository}"
            );
        }
    }

    #[test]
    fn a_port_is_one_that_can_be_connected_to() {
        assert!(is_host("a.b:65535"));
        for port in ["0", "65536", "+1", ""] {
            assert!(!is_host(&format!("a.b:{port}")), "{port}");
        }
    }
}
