//! The artifacts to mirror.

use std::ops::Deref;

use crate::content::Descriptor;
use crate::oci::{LayoutReference, Reference, is_of_digest};

use super::super::error::Error;
use super::super::lookup::open_layout;
use super::names::is_tag_for;

/// An artifact to mirror: its reference, and the place that its content is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorSource {
    /// The reference that is deployed. The trust policy, the pins and the lock are checked for it, and the name in the
    /// mirror is derived from it.
    pub reference: Reference,
    /// The place that the content is read from, such as an image layout with another mirror. `None`: `reference` itself.
    pub place: Option<Reference>,
    /// Whether the reference is deployed as a provider. If so, it is an error if the artifact is not a provider archive.
    pub is_provider: bool,
}

impl MirrorSource {
    /// Returns a source that is read from `reference` itself, and that may be any kind of artifact.
    #[must_use]
    pub fn new(reference: Reference) -> Self {
        Self {
            reference,
            place: None,
            is_provider: false,
        }
    }

    /// Sets whether the artifact must be a provider archive.
    #[must_use]
    pub fn provider(mut self, is_provider: bool) -> Self {
        self.is_provider = is_provider;
        self
    }

    /// Returns the reference that the content is read from.
    pub(super) fn place(&self) -> &Reference {
        self.place.as_ref().unwrap_or(&self.reference)
    }

    /// Returns the artifacts of a layout that holds a mirror: their names are whole references.
    pub(super) async fn all_in(layout: &LayoutReference) -> Result<Vec<Self>, Error> {
        let named = open_layout(layout).await?.named().await?;
        let sources = named.into_iter().filter_map(|(name, manifest)| {
            (!is_of_digest(&name)).then(|| Self::in_layout(layout, &name, manifest))
        });
        Ok(sources.collect())
    }

    fn in_layout(layout: &LayoutReference, name: &str, manifest: Descriptor) -> Self {
        let here = Reference::Layout(layout.clone());
        let digest = manifest.digest;
        let reference = match name.parse::<Reference>() {
            Ok(Reference::Registry(whole)) => {
                let is_by_digest = whole.tag().is_none_or(|tag| is_tag_for(tag, &digest));
                let whole = Reference::Registry(whole);
                if is_by_digest {
                    whole.with_digest(digest.clone())
                } else {
                    whole
                }
            }
            // The name is not a whole reference. Mirroring this source fails later, because it has no name in the mirror.
            _ => here.with_name(name),
        };
        Self {
            reference,
            place: Some(here.with_digest(digest)),
            is_provider: false,
        }
    }
}

/// A source whose name in the mirror is known.
pub(super) struct Named<'a> {
    pub(super) source: &'a MirrorSource,
    pub(super) target: Reference,
}

impl Deref for Named<'_> {
    type Target = MirrorSource;

    fn deref(&self) -> &MirrorSource {
        self.source
    }
}
