//! References: what people write to name content in a registry or in a layout.

mod grammar;
mod parse;
mod place;

use std::fmt;
use std::path::Path;

use crate::content::Digest;

use super::names::{self, canonical_name};

pub use parse::ParseReferenceError;
pub(super) use parse::is_tag;
pub use place::Place;

const LAYOUT_SCHEME: &str = "oci-layout://";

/// A place, and what to find there: `[oci://]registry[:port]/repository[:tag][@digest]` or
/// `oci-layout://DIR[:TAG][@DIGEST]`.
///
/// The grammar is that of Docker's references, without its defaults: the registry is always written,
/// and a missing tag stays missing instead of meaning `latest`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A repository in a registry.
    Registry(RegistryReference),
    /// An OCI image layout in a folder.
    Layout(LayoutReference),
}

/// A repository in a registry, with a tag, a digest, both or neither.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistryReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl RegistryReference {
    /// The registry's host in lower case, with its port when one is written.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository, such as `org/provider`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The same repository under its one name, however it is written here: `registry-1.docker.io:443/a` is
    /// `docker.io/library/a`.
    pub(crate) fn under_one_name(&self) -> Self {
        let registry = canonical_name(&self.registry);
        Self {
            repository: parse::full_repository(&registry, &self.repository),
            registry,
            ..self.clone()
        }
    }

    /// Whether the registry is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        names::is_loopback(&self.registry)
    }

    /// The tag, when one is written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, when one is written.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

/// An OCI image layout in a folder, with a tag, a digest, both or neither.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LayoutReference {
    directory: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl LayoutReference {
    /// The folder, as it was written.
    #[must_use]
    pub fn directory(&self) -> &Path {
        Path::new(&self.directory)
    }

    /// The tag, when one is written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, when one is written.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

impl Reference {
    /// The tag, when one is written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Registry(reference) => reference.tag(),
            Self::Layout(reference) => reference.tag(),
        }
    }

    /// The digest, when one is written.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Registry(reference) => reference.digest(),
            Self::Layout(reference) => reference.digest(),
        }
    }

    /// What to resolve: the digest when there is one, because it cannot lie, else the tag.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self.digest() {
            Some(digest) => Some(digest.to_string()),
            None => self.tag().map(str::to_owned),
        }
    }

    /// The same place with `digest` and without a tag.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        let mut reference = self.clone();
        let (tag, old) = match &mut reference {
            Self::Registry(reference) => (&mut reference.tag, &mut reference.digest),
            Self::Layout(reference) => (&mut reference.tag, &mut reference.digest),
        };
        *tag = None;
        *old = Some(digest);
        reference
    }

    /// The same place and digest with the tag `tag`.
    ///
    /// # Errors
    ///
    /// [`ParseReferenceError`] when `tag` is none.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ParseReferenceError> {
        // Not left to the parser: in a layout, `:a/b` is no bad tag but a part of the folder.
        if !is_tag(tag) {
            return Err(ParseReferenceError::Tag {
                reference: self.to_string(),
                tag: tag.to_owned(),
            });
        }
        let mut reference = self.clone();
        let old = match &mut reference {
            Self::Registry(reference) => &mut reference.tag,
            Self::Layout(reference) => &mut reference.tag,
        };
        *old = Some(tag.to_owned());
        Ok(reference)
    }

    /// The same place at `digest`, as text: `place@sha256:…`, what a deployment is pinned to.
    #[must_use]
    pub fn pinned(&self, digest: &Digest) -> String {
        self.with_digest(digest.clone()).to_string()
    }

    /// A name for a file that comes from here: the last segment of the repository, or the layout's
    /// folder, or `provider` for a folder without a name such as `..`.
    #[must_use]
    pub fn file_stem(&self) -> &str {
        match self {
            Self::Registry(reference) => reference
                .repository
                .rsplit('/')
                .next()
                .unwrap_or(&reference.repository),
            Self::Layout(reference) => reference
                .directory()
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or("provider"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => reference.fmt(formatter),
            Self::Layout(reference) => reference.fmt(formatter),
        }
    }
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        write_name(formatter, self.tag(), self.digest())
    }
}

impl fmt::Display for LayoutReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{LAYOUT_SCHEME}{}", self.directory)?;
        write_name(formatter, self.tag(), self.digest())
    }
}

fn write_name(
    formatter: &mut fmt::Formatter<'_>,
    tag: Option<&str>,
    digest: Option<&Digest>,
) -> fmt::Result {
    if let Some(tag) = tag {
        write!(formatter, ":{tag}")?;
    }
    if let Some(digest) = digest {
        write!(formatter, "@{digest}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
