//! Tag: another name for a manifest.

use crate::content::{Descriptor, Push};
use crate::oci::Reference;

use super::Client;
use super::error::{Error, require_name};
use super::lookup::{named, open_layout};
use super::tagging::{TagChange, Tagging};

/// A manifest that was given tags.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tagged {
    /// The manifest.
    pub manifest: Descriptor,
    /// The tags that it was given, and what they named before.
    pub tags: Vec<TagChange>,
}

impl Client {
    /// Moves `tag` to the manifest of `reference`, in the same repository or image layout. Creates
    /// the tag if it does not exist. Nothing but the manifest is uploaded.
    ///
    /// Mirrors are not asked, because they may be behind, and neither is the cache: the pull policy
    /// does not count.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or of the layout, or [`Error::Unnamed`].
    pub async fn tag(&self, reference: &Reference, tag: &str) -> Result<Descriptor, Error> {
        let tagged = self.add_tags(reference, &[tag], false).await?;
        Ok(tagged.manifest)
    }

    /// Moves several tags as [`tag`](Self::tag) does. With `if_absent`, it fails before the first change when one
    /// of them names another manifest. A change by another client at the same time is not noticed.
    ///
    /// # Errors
    ///
    /// Those of [`tag`](Self::tag), and [`Error::TagExists`].
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn add_tags(
        &self,
        reference: &Reference,
        tags: &[impl AsRef<str> + Sync],
        if_absent: bool,
    ) -> Result<Tagged, Error> {
        for tag in tags {
            reference.with_tag(tag.as_ref())?;
        }
        let reference = named(reference).await?;
        let reference = reference.as_ref();
        let name = require_name(reference)?;
        let tagging = Tagging::new(reference, tags.iter().map(AsRef::as_ref), if_absent)?;
        let storage: Box<dyn Push> = match reference {
            Reference::Registry(place) => Box::new(self.registries.repository(place)),
            Reference::Layout(place) => Box::new(open_layout(place).await?),
        };
        let (manifest, bytes) = storage.stored_manifest(&name).await?;
        let tags = tagging.changes(storage.as_ref(), &manifest.digest).await?;
        for change in &tags {
            storage
                .put_manifest(&manifest, &bytes, Some(&change.tag))
                .await?;
        }
        Ok(Tagged { manifest, tags })
    }
}
