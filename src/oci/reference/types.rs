//! References to content in a registry or a layout.

use std::fmt;
use std::path::{Path, is_separator};

use crate::content::{Digest, ManifestName};

use super::super::names::{self, DOCKER_HUB, canonical_name};
use super::error::ParseReferenceError;
use super::grammar::{begins_layout_name, is_tag};

/// The prefix of a reference to a layout in a directory.
pub(super) const LAYOUT_SCHEME: &str = "oci-layout://";
/// The prefix of a reference to a layout in a file.
pub(super) const FILE_SCHEME: &str = "oci-archive://";
/// The extension of a file with a layout.
pub(super) const FILE_EXTENSION: &str = ".tar";

/// A reference to content: `[oci://]registry[:port]/repository[:tag][@digest]`,
/// `oci-layout://DIR[:NAME][@DIGEST]` or `oci-archive://FILE.tar[:NAME][@DIGEST]`.
///
/// The grammar is the same as for Docker's references, but without their defaults: the registry must be written, and a
/// missing tag does not mean `latest`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reference {
    /// A repository in a registry.
    Registry(RegistryReference),
    /// An OCI image layout in a directory or in a file.
    Layout(LayoutReference),
}

/// A repository in a registry, with a tag, a digest, both or neither.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistryReference {
    pub(super) registry: String,
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Option<Digest>,
}

impl RegistryReference {
    /// Returns the host of the registry in lower case, with its port when one is written.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the repository, such as `org/provider`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns this reference with the canonical names of registry and repository:
    /// `registry-1.docker.io:443/a` becomes `docker.io/library/a`.
    pub(crate) fn under_one_name(&self) -> Self {
        let registry = canonical_name(&self.registry);
        Self {
            repository: full_repository(&registry, &self.repository),
            registry,
            ..self.clone()
        }
    }

    /// Returns whether the registry is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        names::is_loopback(&self.registry)
    }

    /// Returns the tag, when one is written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest, when one is written.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

/// How an OCI image layout is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LayoutForm {
    /// A directory: `oci-layout://DIR`.
    Directory,
    /// A tar of such a directory: `oci-archive://FILE.tar`.
    File,
}

impl LayoutForm {
    /// Returns the scheme of references to such layouts, with `://`.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Directory => LAYOUT_SCHEME,
            Self::File => FILE_SCHEME,
        }
    }
}

/// An OCI image layout in a directory or in a file, with a name, a digest, both or neither.
///
/// The name is a tag, or the whole reference that other tools write into layouts, such as
/// `ghcr.io/org/provider:1.0`.
///
/// When the text for a directory has several colons, the file system decides at which of them the directory ends. It is
/// the longest `DIR` that is an image layout. If no `DIR` is an image layout, the directory ends at the first colon
/// that is not in the name of an existing directory. In `DIR/:NAME`, the separator ends the directory.
///
/// The name of a file with the extension `.tar` ends at the first `.tar:`, or at the `.tar@` before a digest. Any other
/// file name ends at the last colon that is followed by a tag. The file system is not read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LayoutReference {
    pub(super) form: LayoutForm,
    pub(super) path: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Option<Digest>,
}

impl LayoutReference {
    /// Returns how the layout is stored.
    #[must_use]
    pub fn form(&self) -> LayoutForm {
        self.form
    }

    /// Returns the directory or the file as it is written.
    #[must_use]
    pub fn path(&self) -> &Path {
        Path::new(&self.path)
    }

    /// Returns the reference to the layout itself, without a name and a digest.
    pub(crate) fn whole(&self) -> Self {
        Self {
            tag: None,
            digest: None,
            ..self.clone()
        }
    }

    /// Returns the name, if one is written. It is a tag or a whole reference.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest, when one is written.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

impl Reference {
    /// Returns the tag, when one is written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Registry(reference) => reference.tag(),
            Self::Layout(reference) => reference.tag(),
        }
    }

    /// Returns the digest, when one is written.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Registry(reference) => reference.digest(),
            Self::Layout(reference) => reference.digest(),
        }
    }

    /// Returns the name to resolve: the digest if there is one, or else the tag.
    pub(crate) fn name(&self) -> Option<ManifestName> {
        match self.digest() {
            Some(digest) => Some(ManifestName::Digest(digest.clone())),
            None => self.tag().map(|tag| ManifestName::Tag(tag.to_owned())),
        }
    }

    /// Returns this reference with `digest` and without a tag.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        let mut reference = self.clone();
        let (tag, old) = reference.names();
        (*tag, *old) = (None, Some(digest));
        reference
    }

    /// Returns this reference with its tag and without a digest. A reference that has no tag keeps its digest.
    pub(crate) fn unpinned(&self) -> Self {
        let mut reference = self.clone();
        if reference.tag().is_some() {
            *reference.names().1 = None;
        }
        reference
    }

    /// Returns this reference with `digest`, and keeps its tag.
    pub(crate) fn and_digest(&self, digest: Digest) -> Self {
        let mut reference = self.clone();
        *reference.names().1 = Some(digest);
        reference
    }

    fn names(&mut self) -> (&mut Option<String>, &mut Option<Digest>) {
        match self {
            Self::Registry(reference) => (&mut reference.tag, &mut reference.digest),
            Self::Layout(reference) => {
                if reference.form == LayoutForm::Directory {
                    end_directory(&mut reference.path);
                }
                (&mut reference.tag, &mut reference.digest)
            }
        }
    }

    /// Returns this reference with the tag `tag`, and keeps its digest.
    ///
    /// # Errors
    ///
    /// [`ParseReferenceError`] when `tag` is not a tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ParseReferenceError> {
        if !is_tag(tag) {
            return Err(ParseReferenceError::tag(&self.to_string(), tag));
        }
        Ok(self.with_name(tag))
    }

    /// Returns this reference with `name`, which is a tag, or for a layout possibly a whole reference.
    pub(crate) fn with_name(&self, name: &str) -> Self {
        let mut reference = self.clone();
        *reference.names().0 = Some(name.to_owned());
        reference
    }

    /// Returns the text of this reference with `digest` and without a tag, `…@sha256:…`, for pinning a deployment.
    #[must_use]
    pub fn pinned(&self, digest: &Digest) -> String {
        self.with_digest(digest.clone()).to_string()
    }

    /// Returns a name for a file with the content: the last segment of the repository, the name of the layout's
    /// directory, or the name of its file without `.tar`. For a path without a name, such as `..`, returns `provider`.
    #[must_use]
    pub fn file_stem(&self) -> &str {
        match self {
            Self::Registry(RegistryReference { repository, .. }) => {
                repository.rsplit('/').next().unwrap_or(repository)
            }
            Self::Layout(reference) => {
                let name = reference.path().file_name().and_then(|name| name.to_str());
                let stem = name.map(|name| match reference.form {
                    LayoutForm::Directory => name,
                    LayoutForm::File => name.strip_suffix(FILE_EXTENSION).unwrap_or(name),
                });
                stem.filter(|stem| !stem.is_empty()).unwrap_or("provider")
            }
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
        write!(formatter, "{}{}", self.form.scheme(), self.path)?;
        write_name(formatter, self.tag(), self.digest())
    }
}

/// Adds a separator to a directory if a part of it could be read as a name or a digest after a directory. In `a:b/c`,
/// `b/c` could be a name. In `a:b/c/`, no name can begin inside the directory. A digest can only be in the last
/// segment.
fn end_directory(directory: &mut String) {
    let mut colons = directory.match_indices(':');
    let is_name = |position| directory.get(position..).is_some_and(begins_layout_name);
    let last = directory.rsplit(is_separator).next();
    if colons.any(|(colon, _)| is_name(colon + 1)) || last.is_some_and(|last| last.contains('@')) {
        directory.push('/');
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

/// Returns the full name of a repository. On Docker Hub, a single segment is the name of an official image in
/// `library`.
pub(super) fn full_repository(registry: &str, repository: &str) -> String {
    if registry == DOCKER_HUB && !repository.contains('/') {
        format!("library/{repository}")
    } else {
        repository.to_owned()
    }
}
