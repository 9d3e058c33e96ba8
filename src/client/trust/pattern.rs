//! Patterns that choose the repositories of a rule.

use std::fmt;
use std::str::FromStr;

use crate::oci::Reference;

use super::super::wildcard::matches;

/// The text that stands for all image layouts.
const LAYOUT: &str = "oci-layout";

/// A pattern for repositories: `ghcr.io/org/provider`, `ghcr.io/org/*`, `*.example.com`, `*`.
///
/// In the registry and in the repository, `*` stands for any number of any characters, including `/`. A pattern without
/// a repository matches all repositories of the registry. `oci-layout` matches all image layouts. A pattern matches all
/// spellings of a repository: `docker.io/demo` also matches `registry-1.docker.io:443/library/demo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    registry: String,
    repository: Option<String>,
}

/// A text is not a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a pattern for repositories: {reason}")]
pub struct ParsePatternError {
    text: String,
    reason: &'static str,
}

impl Pattern {
    fn new(registry: &str, repository: Option<&str>) -> Self {
        Self {
            registry: registry.to_owned(),
            repository: repository.map(str::to_owned),
        }
    }

    /// Returns whether the pattern matches the repository of `reference`. Tags and digests make no difference.
    #[must_use]
    pub fn matches(&self, reference: &Reference) -> bool {
        let place = match reference {
            Reference::Registry(place) => Some(place.under_one_name()),
            Reference::Layout(_) => None,
        };
        let registry = place.as_ref().map_or(LAYOUT, |place| place.registry());
        let repository = place.as_ref().map_or("", |place| place.repository());
        let pattern = self.repository.as_ref();
        matches(&self.registry, registry)
            && pattern.is_none_or(|pattern| matches(pattern, repository))
    }
}

impl FromStr for Pattern {
    type Err = ParsePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason| ParsePatternError {
            text: text.escape_debug().to_string(),
            reason,
        };
        let (registry, repository) = match text.split_once('/') {
            Some((registry, repository)) => (registry, Some(repository)),
            None => (text, None),
        };
        match (registry, repository) {
            (LAYOUT, None) => return Ok(Self::new(registry, repository)),
            (LAYOUT, Some(_)) => return Err(wrong("`oci-layout` stands for all image layouts")),
            _ => {}
        }
        if !registry.contains(['.', ':', '*']) && registry != "localhost" {
            return Err(wrong(
                "a pattern begins with a registry, such as `ghcr.io/org/*`",
            ));
        }
        if text.contains('@') || repository.is_some_and(|repository| repository.contains(':')) {
            return Err(wrong(
                "a pattern matches all tags and digests of a repository",
            ));
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong("registries and repositories are in lower case"));
        }
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"*.:/_-[]".contains(&byte);
        let gap = |repository: &str| repository.split('/').any(str::is_empty);
        if !text.bytes().all(known) || repository.is_some_and(gap) {
            return Err(wrong(
                "a pattern is REGISTRY or REGISTRY/REPOSITORY, with `*` for any characters",
            ));
        }
        // Parsing an example of a matching reference shows whether such a repository can exist, and how it is usually
        // spelled. In the example, each `*` in the repository is a letter, and a registry with `*` is an example
        // registry.
        let (open, whole) = (registry.contains('*'), repository.unwrap_or("*"));
        let example = if open { "any.registry" } else { registry };
        let example = format!("{example}/{}", whole.replace('*', "a"));
        let Ok(Reference::Registry(example)) = example.parse() else {
            return Err(wrong("no registry or no repository can have that name"));
        };
        let example = example.under_one_name();
        if open && matches(registry, "registry-1.docker.io") && !matches(registry, "docker.io") {
            return Err(wrong("Docker Hub is `docker.io`"));
        }
        let registry = if open {
            registry.strip_suffix(":443").unwrap_or(registry)
        } else {
            example.registry()
        };
        let repository = if whole.contains('*') {
            repository
        } else {
            Some(example.repository())
        };
        Ok(Self::new(registry, repository))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.registry)?;
        match &self.repository {
            Some(repository) => write!(formatter, "/{repository}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "tests/pattern.rs"]
mod tests;
