//! Reading a reference, and saying what is wrong with one.

use std::net::Ipv6Addr;
use std::path::is_separator;
use std::str::FromStr;

use crate::content::{Digest, ParseDigestError};

use super::grammar::{is_host, is_repository};
use super::{LAYOUT_SCHEME, LayoutReference, Reference, RegistryReference};

/// The longest reference that is parsed, in bytes.
const LENGTH_LIMIT: usize = 4096;
const DOCKER_HUB: &str = "docker.io";

/// A text that is not a reference. The message says why, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the messages say what each variant and its fields are"
)]
pub enum ParseReferenceError {
    #[error("the reference is {length} bytes long, and {LENGTH_LIMIT} is the most")]
    TooLong { length: usize },
    #[error(
        "the reference is empty: write registry/repository:tag, such as ghcr.io/org/provider:1.0"
    )]
    Empty,
    #[error("`{reference}` begins with `{scheme}`, which is no reference: {instead}")]
    Scheme {
        reference: String,
        scheme: String,
        instead: String,
    },
    #[error(
        "`{reference}` names no registry: write it in front, such as ghcr.io/{reference}, or \
         docker.io/{reference} for Docker Hub"
    )]
    RegistryMissing { reference: String },
    #[error("`{reference}` names no repository: write registry/repository:tag")]
    RepositoryMissing { reference: String },
    #[error(
        "`{reference}` has upper-case letters in its repository, which no registry allows: write `{lower}`"
    )]
    UppercaseRepository { reference: String, lower: String },
    #[error(
        "`{tag}` in `{reference}` is not a tag: up to 128 letters, digits, `_`, `.` and `-`, \
         beginning with a letter, a digit or `_`"
    )]
    Tag { reference: String, tag: String },
    #[error(
        "the digest in `{reference}` cannot be used: write @sha256: and 64 digits in lower case"
    )]
    Digest {
        reference: String,
        source: ParseDigestError,
    },
    #[error(
        "`{reference}` is malformed: write registry[:port]/repository[:tag][@digest], with letters \
         in lower case, digits, and single `.`, `_`, `-` in between"
    )]
    Malformed { reference: String },
    #[error(
        "`{text}` is not a registry: write its host, such as ghcr.io or localhost:5000, and behind it \
         a repository where one is meant"
    )]
    Registry { text: String },
    #[error(
        "`{reference}` is no reference: write `{LAYOUT_SCHEME}{rest}` for an image layout in a folder"
    )]
    LayoutSlashes { reference: String, rest: String },
    #[error("`{reference}` names no folder: write oci-layout://FOLDER[:TAG][@DIGEST]")]
    DirectoryMissing { reference: String },
}

/// Whether `text` is a tag (OCI distribution specification, "Pulling manifests").
pub(in crate::oci) fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text
            .bytes()
            .all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

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
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        if let Some((scheme, rest)) = rest.split_once("://") {
            return Err(wrong_scheme(text, scheme, rest));
        }
        if let Some(rest) = layout_without_slashes(rest) {
            return Err(ParseReferenceError::LayoutSlashes {
                reference: text.to_owned(),
                rest: rest.to_owned(),
            });
        }
        parse_registry(text, rest).map(Self::Registry)
    }
}

/// What follows `oci:`, as Skopeo writes layouts, or `oci-layout:`, where that is no registry with a port.
fn layout_without_slashes(text: &str) -> Option<&str> {
    let prefixes = ["oci-layout:", "oci:"];
    let rest = prefixes
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))?;
    let port = rest.split_once('/').is_some_and(|(port, _)| is_port(port));
    (!port && !rest.is_empty()).then_some(rest)
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn wrong_scheme(text: &str, scheme: &str, rest: &str) -> ParseReferenceError {
    let instead = match scheme {
        "file" => format!("write the path, `{rest}`, where a file is meant"),
        "http" => format!("write `{rest}`, and allow plain HTTP where the registry has no TLS"),
        "https" | "docker" => format!("write `{rest}`"),
        _ => "write registry/repository:tag, or oci-layout://FOLDER:TAG".to_owned(),
    };
    ParseReferenceError::Scheme {
        reference: text.to_owned(),
        scheme: format!("{scheme}://"),
        instead,
    }
}

fn parse_layout(text: &str, rest: &str) -> Result<LayoutReference, ParseReferenceError> {
    // A folder may hold colons and at signs, but not in its last segment.
    let last = rest.rfind(is_separator).map_or(0, |position| position + 1);
    let (parents, last) = rest.split_at_checked(last).unwrap_or((rest, ""));
    let (last, digest) = split_digest(text, last)?;
    // Otherwise `a:b` and the tag `c` would be, without that tag, `a` and the tag `b`.
    if let Some((_, names)) = last
        .split_once(':')
        .filter(|(_, names)| names.contains(':'))
    {
        return Err(ParseReferenceError::Tag {
            reference: text.to_owned(),
            tag: names.to_owned(),
        });
    }
    let (last, tag) = split_tag(text, last)?;
    if parents.is_empty() && last.is_empty() {
        return Err(ParseReferenceError::DirectoryMissing {
            reference: text.to_owned(),
        });
    }
    Ok(LayoutReference {
        directory: format!("{parents}{last}"),
        tag,
        digest,
    })
}

fn parse_registry(text: &str, rest: &str) -> Result<RegistryReference, ParseReferenceError> {
    let reference = || text.to_owned();
    let malformed = || ParseReferenceError::Malformed {
        reference: reference(),
    };
    let (rest, digest) = split_digest(text, rest)?;
    let (host, rest) = match rest.split_once('/') {
        Some((host, rest)) if is_registry(host) => (host.to_ascii_lowercase(), rest),
        None if is_bare_registry(rest) => {
            return Err(ParseReferenceError::RepositoryMissing {
                reference: reference(),
            });
        }
        _ => {
            return Err(ParseReferenceError::RegistryMissing {
                reference: reference(),
            });
        }
    };
    let (repository, tag) = split_tag(text, rest)?;
    if repository.is_empty() {
        return Err(ParseReferenceError::RepositoryMissing {
            reference: reference(),
        });
    }
    if repository.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let lower = RegistryReference {
            registry: host,
            repository: repository.to_ascii_lowercase(),
            tag,
            digest,
        };
        return Err(ParseReferenceError::UppercaseRepository {
            reference: reference(),
            lower: lower.to_string(),
        });
    }
    let registry = match host.as_str() {
        "index.docker.io" => DOCKER_HUB.to_owned(),
        _ => host,
    };
    let repository = full_repository(&registry, repository);
    // The grammar has no IPv6 addresses, real registries do: `[::1]:5000`.
    let named = match registry.split_once(']') {
        Some((address, port)) => {
            let address = address.strip_prefix('[').unwrap_or_default();
            address.parse::<Ipv6Addr>().is_ok() && is_host(&format!("localhost{port}"))
        }
        None => is_host(&registry),
    };
    if !named || !is_repository(&repository) {
        return Err(malformed());
    }
    Ok(RegistryReference {
        registry,
        repository,
        tag,
        digest,
    })
}

/// The repository that is meant: on Docker Hub, a single segment is one of the official images.
pub(super) fn full_repository(registry: &str, repository: &str) -> String {
    match registry {
        DOCKER_HUB if !repository.contains('/') => format!("library/{repository}"),
        _ => repository.to_owned(),
    }
}

/// Docker's rule for telling a registry from the first part of a repository.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first.eq_ignore_ascii_case("localhost")
}

/// Whether a text without a slash is hardly a repository and its tag.
fn is_bare_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, is_port(port)),
        None => (text, true),
    };
    port && (host.contains('.') || host.starts_with('[') || host.eq_ignore_ascii_case("localhost"))
}

fn split_digest<'a>(
    text: &str,
    rest: &'a str,
) -> Result<(&'a str, Option<Digest>), ParseReferenceError> {
    let Some((rest, digest)) = rest.split_once('@') else {
        return Ok((rest, None));
    };
    match digest.parse() {
        Ok(digest) => Ok((rest, Some(digest))),
        Err(source) => Err(ParseReferenceError::Digest {
            reference: text.to_owned(),
            source,
        }),
    }
}

fn split_tag<'a>(
    text: &str,
    rest: &'a str,
) -> Result<(&'a str, Option<String>), ParseReferenceError> {
    let Some((rest, tag)) = rest.rsplit_once(':') else {
        return Ok((rest, None));
    };
    if !is_tag(tag) {
        return Err(ParseReferenceError::Tag {
            reference: text.to_owned(),
            tag: tag.to_owned(),
        });
    }
    Ok((rest, Some(tag.to_owned())))
}
