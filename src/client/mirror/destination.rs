//! The place of a mirror, and the names in it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::oci::{LayoutFileWriter, LayoutForm, LayoutReference, Place, Reference};

use super::super::error::Error;
use super::names::{part_of, tag_for};

/// The place of a mirror: the repositories of a registry below a prefix, or an image layout.
///
/// Names in a mirror contain the full original name. In a registry, `ghcr.io/org/provider:1.0` becomes
/// `PREFIX/ghcr.io/org/provider:1.0`. Two underscores replace the colon before a port: `registry.lan:5000` becomes
/// `registry.lan__5000`. In a layout, the whole reference is the name. A reference with a digest and without a tag gets the
/// tag `digest-sha256-…`.
///
/// ```
/// use wasmcloud_par::client::MirrorDestination;
///
/// # fn name() -> Result<(), wasmcloud_par::Error> {
/// let mirror: MirrorDestination = "registry.internal/mirror".parse()?;
/// let name = mirror.name_of(&"ghcr.io/org/provider:1.0".parse()?)?;
/// assert_eq!(name.to_string(), "registry.internal/mirror/ghcr.io/org/provider:1.0");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorDestination(pub(super) Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A registry, with an optional prefix for the names of repositories.
    Registry(Place),
    /// An image layout, without a name.
    Layout(LayoutReference),
}

impl MirrorDestination {
    /// Returns the name of `reference` in the mirror. A digest in `reference` is kept.
    ///
    /// # Errors
    ///
    /// [`Error::MirrorName`] if `reference` is not in a registry, if the name of its registry cannot be a part of the name of
    /// a repository, or if the name in the mirror is too long for a repository.
    pub fn name_of(&self, reference: &Reference) -> Result<Reference, Error> {
        let unnamed = |reason: String| Error::MirrorName {
            reference: reference.to_string(),
            reason,
        };
        let Reference::Registry(original) = reference else {
            let reason = "only references to a registry have a name in a mirror";
            return Err(unnamed(reason.to_owned()));
        };
        let tag = match (original.tag(), original.digest()) {
            (Some(tag), _) => tag.to_owned(),
            (None, Some(digest)) => tag_for(digest),
            (None, None) => return Err(Error::Unnamed(reference.to_string())),
        };
        let repository = original.repository();
        let name = match &self.0 {
            Kind::Registry(_) => {
                let part = self.prefix_of(original.registry());
                let part = part.ok_or_else(|| {
                    let registry = original.registry();
                    unnamed(format!("no repository can have `{registry}` in its name"))
                })?;
                let name: Reference = format!("{part}/{repository}").parse().map_err(|error| {
                    unnamed(format!("its name in the mirror is not valid: {error}"))
                })?;
                name.with_tag(&tag)?
            }
            Kind::Layout(layout) => {
                let name = format!("{}/{repository}:{tag}", original.registry());
                Reference::Layout(layout.clone()).with_name(&name)
            }
        };
        Ok(match original.digest() {
            Some(digest) => name.and_digest(digest.clone()),
            None => name,
        })
    }

    /// Returns the prefix of all names of `registry` in the mirror, such as `registry.internal/prefix/ghcr.io`. Returns
    /// `None` for a layout, and if the name of `registry` cannot be a part of the name of a repository.
    pub(super) fn prefix_of(&self, registry: &str) -> Option<String> {
        match &self.0 {
            Kind::Registry(place) => Some(format!("{place}/{}", part_of(registry)?)),
            Kind::Layout(_) => None,
        }
    }

    /// Opens an image layout in a file. Such a layout is written only once, after everything was stored. Returns `None` for
    /// other places.
    pub(super) async fn session(&self) -> Result<Option<Arc<LayoutFileWriter>>, Error> {
        match &self.0 {
            Kind::Layout(layout) if layout.form() == LayoutForm::File => {
                let writer = LayoutFileWriter::open_or_create(layout.path()).await?;
                Ok(Some(Arc::new(writer)))
            }
            Kind::Layout(_) | Kind::Registry(_) => Ok(None),
        }
    }

    /// Returns a reference in the registry or the layout of the mirror. Connection options are chosen by it.
    #[cfg(feature = "cli")]
    pub(crate) fn place(&self) -> Option<Reference> {
        match &self.0 {
            Kind::Registry(place) => format!("{}/any", place.registry()).parse().ok(),
            Kind::Layout(layout) => Some(Reference::Layout(layout.clone())),
        }
    }
}

impl FromStr for MirrorDestination {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::MirrorPlace(text.to_owned());
        let kind = match text.parse() {
            Ok(Reference::Layout(layout)) => Kind::Layout(layout),
            _ => Kind::Registry(text.parse()?),
        };
        let is_named = match &kind {
            Kind::Registry(place) => place
                .reference()
                .is_some_and(|prefix| prefix.tag().is_some() || prefix.digest().is_some()),
            Kind::Layout(layout) => layout.tag().is_some() || layout.digest().is_some(),
        };
        if is_named {
            Err(wrong())
        } else {
            Ok(Self(kind))
        }
    }
}

impl fmt::Display for MirrorDestination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Registry(place) => place.fmt(formatter),
            Kind::Layout(layout) => layout.fmt(formatter),
        }
    }
}

#[cfg(test)]
#[path = "tests/destination.rs"]
mod tests;
