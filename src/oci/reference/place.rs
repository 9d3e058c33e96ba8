//! A registry, or a repository in one.

use std::fmt;
use std::str::FromStr;

use super::error::ParseReferenceError;
use super::types::{Reference, RegistryReference};
use super::userinfo::refuse_userinfo;

/// A registry, or a repository in it: `REGISTRY[/REPOSITORY[:TAG][@DIGEST]]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    registry: String,
    reference: Option<RegistryReference>,
}

impl Place {
    /// Returns the host of the registry in lower case, with its port if one is written.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the reference to the repository, with a tag or a digest, if a repository is written.
    #[must_use]
    pub fn reference(&self) -> Option<&RegistryReference> {
        self.reference.as_ref()
    }
}

impl From<RegistryReference> for Place {
    fn from(reference: RegistryReference) -> Self {
        Self {
            registry: reference.registry().to_owned(),
            reference: Some(reference),
        }
    }
}

impl FromStr for Place {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let not_a_registry = || ParseReferenceError::Registry {
            text: text.to_owned(),
        };
        refuse_userinfo(text)?;
        let bare = text.strip_prefix("oci://").unwrap_or(text);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        if bare.contains('/') {
            return match text.parse()? {
                Reference::Registry(reference) => Ok(reference.into()),
                Reference::Layout(_) => Err(not_a_registry()),
            };
        }
        // The parser accepts a registry in front of a repository.
        match format!("{bare}/any").parse() {
            Ok(Reference::Registry(reference)) => Ok(Self {
                registry: reference.registry().to_owned(),
                reference: None,
            }),
            Err(error @ ParseReferenceError::LongName { .. }) => Err(error),
            _ => Err(not_a_registry()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.registry)?;
        match &self.reference {
            Some(reference) => write!(formatter, "/{}", reference.repository()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "tests/place.rs"]
mod tests;
