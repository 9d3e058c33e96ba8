//! The parser of references.

use std::net::Ipv6Addr;
use std::str::FromStr;

use super::super::names::{DOCKER_HUB, DOCKER_HUB_INDEX};
use super::error::{LENGTH_LIMIT, ParseReferenceError};
use super::grammar::{HOST_LIMIT, LABEL_LIMIT, REPOSITORY_LIMIT, is_host, is_repository};
use super::layout::parse_layout;
use super::layout_file::parse_layout_file;
use super::split::{split_digest, split_tag};
use super::types::{FILE_SCHEME, LAYOUT_SCHEME, Reference, RegistryReference, full_repository};
use super::userinfo::refuse_userinfo;

impl FromStr for Reference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LENGTH_LIMIT {
            return Err(ParseReferenceError::TooLong { length: text.len() });
        }
        if text.is_empty() {
            return Err(ParseReferenceError::Empty);
        }
        if let Some(rest) = text.strip_prefix(LAYOUT_SCHEME) {
            return parse_layout(text, rest).map(Self::Layout);
        }
        if let Some(rest) = text.strip_prefix(FILE_SCHEME) {
            return parse_layout_file(text, rest).map(Self::Layout);
        }
        refuse_userinfo(text)?;
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        if let Some((scheme, rest)) = rest.split_once("://") {
            return Err(wrong_scheme(text, scheme, rest));
        }
        // Skopeo writes layouts with `oci:` and `oci-archive:`.
        let (reference, without_slashes) = (text.to_owned(), |schemes| after(rest, schemes));
        if let Some(rest) = without_slashes(&["oci-layout:", "oci:"]) {
            return Err(ParseReferenceError::LayoutSlashes { reference, rest });
        }
        if let Some(rest) = without_slashes(&["oci-archive:"]) {
            return Err(ParseReferenceError::FileSlashes { reference, rest });
        }
        parse_registry(text, rest).map(Self::Registry)
    }
}

/// Returns the text after one of `schemes`. Returns `None` when a port follows: `oci:5000/a` names a registry.
fn after(text: &str, schemes: &[&str]) -> Option<String> {
    let mut found = schemes
        .iter()
        .filter_map(|scheme| text.strip_prefix(scheme));
    let rest = found.next()?;
    let is_registry = rest.split_once('/').is_some_and(|(port, _)| is_port(port));
    (!is_registry && !rest.is_empty()).then(|| rest.to_owned())
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the error for a text with another scheme. It says what to write instead.
fn wrong_scheme(text: &str, scheme: &str, rest: &str) -> ParseReferenceError {
    let instead = match scheme {
        "file" => format!("write the path `{rest}` to name a file"),
        "http" => format!("write `{rest}`, and allow plain HTTP where the registry has no TLS"),
        "https" | "docker" => format!("write `{rest}`"),
        _ => "write registry/repository:tag, oci-layout://DIR:TAG or oci-archive://FILE.tar:TAG"
            .to_owned(),
    };
    ParseReferenceError::Scheme {
        reference: text.to_owned(),
        scheme: format!("{scheme}://"),
        instead,
    }
}

fn parse_registry(text: &str, rest: &str) -> Result<RegistryReference, ParseReferenceError> {
    let reference = text.to_owned();
    let (rest, digest) = split_digest(text, rest)?;
    let (host, rest) = match rest.split_once('/') {
        Some((host, rest)) if is_registry(host) => (host.to_ascii_lowercase(), rest),
        None if is_bare_registry(rest) => {
            return Err(ParseReferenceError::RepositoryMissing { reference });
        }
        _ => {
            // The message puts a registry in front of the text after the scheme.
            let reference = text.strip_prefix("oci://").unwrap_or(text).to_owned();
            return Err(ParseReferenceError::RegistryMissing { reference });
        }
    };
    let (repository, tag) = split_tag(text, rest)?;
    if repository.is_empty() {
        return Err(ParseReferenceError::RepositoryMissing { reference });
    }
    if repository.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let lower = RegistryReference {
            registry: host,
            repository: repository.to_ascii_lowercase(),
            tag,
            digest,
        };
        let lower = lower.to_string();
        return Err(ParseReferenceError::UppercaseRepository { reference, lower });
    }
    let registry = if host == DOCKER_HUB_INDEX {
        DOCKER_HUB.to_owned()
    } else {
        host
    };
    let repository = full_repository(&registry, repository);
    let name = registry.split(':').next().unwrap_or_default();
    let label = name.split('.').map(str::len).max().unwrap_or_default();
    for (part, length, limit) in [
        ("repository", repository.len(), REPOSITORY_LIMIT),
        ("host", name.len(), HOST_LIMIT),
        ("part of the host", label, LABEL_LIMIT),
    ] {
        if length > limit {
            return Err(ParseReferenceError::LongName {
                reference,
                part,
                length,
                limit,
            });
        }
    }
    // IPv6 addresses such as `[::1]:5000` are not in the grammar, but real registries have them.
    let is_named = match registry.split_once(']') {
        Some((address, port)) => {
            let address = address.strip_prefix('[').unwrap_or_default();
            address.parse::<Ipv6Addr>().is_ok() && is_host(&format!("localhost{port}"))
        }
        None => is_host(&registry),
    };
    if !is_named || !is_repository(&repository) {
        return Err(ParseReferenceError::Malformed { reference });
    }
    Ok(RegistryReference {
        registry,
        repository,
        tag,
        digest,
    })
}

/// Returns whether the first part of a reference is a registry by Docker's rule, and not a part of the repository.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first.eq_ignore_ascii_case("localhost")
}

/// Returns whether a text without a slash looks like a registry rather than a repository with its tag.
fn is_bare_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, is_port(port)),
        None => (text, true),
    };
    port && (host.contains('.') || host.starts_with('[') || host.eq_ignore_ascii_case("localhost"))
}
