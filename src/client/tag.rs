//! Tag: giving a manifest further tags.

use crate::content::{Descriptor, Push};
use crate::oci::Reference;

use super::Client;
use super::error::{Error, require_name};
use super::lookup::{change_layout, named};
use super::publisher::{Publisher, reading};
use super::tagging::{TagChange, TagIdentity, Tagging};

/// The options for adding tags.
///
/// ```
/// use wasmcloud_par::client::TagOptions;
///
/// let options = TagOptions::default().if_absent(true);
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TagOptions {
    /// Whether it is an error that a tag names another manifest. Default: `false`, the tag is moved.
    pub if_absent: bool,
    /// Whether a tag that names an archive of another issuer or subject may be moved. Default: `false`.
    pub change_identity: bool,
}

impl TagOptions {
    /// Sets whether it is an error that a tag names another manifest.
    #[must_use]
    pub fn if_absent(mut self, if_absent: bool) -> Self {
        self.if_absent = if_absent;
        self
    }

    /// Sets whether a tag that names an archive of another issuer or subject may be moved.
    #[must_use]
    pub fn change_identity(mut self, change_identity: bool) -> Self {
        self.change_identity = change_identity;
        self
    }
}

/// A manifest to which tags were added.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tagged {
    /// The manifest.
    pub manifest: Descriptor,
    /// The tags that were added, and what they named before.
    pub tags: Vec<TagChange>,
}

impl Client {
    /// Moves `tag` to the manifest of `reference`, in the same repository or image layout. Creates
    /// the tag if it does not exist. Nothing but the manifest is uploaded.
    ///
    /// Only the registry itself is asked, whatever the pull policy: a mirror or the cache may be out of date. A tag of
    /// an archive of another issuer or subject is not moved.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or of the layout, [`Error::Unnamed`], or [`Error::TagIdentity`].
    pub async fn tag(&self, reference: &Reference, tag: &str) -> Result<Descriptor, Error> {
        let tagged = self
            .add_tags(reference, &[tag], TagOptions::default())
            .await?;
        Ok(tagged.manifest)
    }

    /// Moves several tags as [`tag`](Self::tag) does. Fails before the first change if `options` do not allow moving
    /// one of them. A change by another client at the same time is not noticed.
    ///
    /// # Errors
    ///
    /// As for [`tag`](Self::tag), and [`Error::TagExists`].
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn add_tags(
        &self,
        reference: &Reference,
        tags: &[impl AsRef<str> + Sync],
        options: TagOptions,
    ) -> Result<Tagged, Error> {
        for tag in tags {
            reference.with_tag(tag.as_ref())?;
        }
        let reference = named(reference).await?;
        let reference = reference.as_ref();
        let name = require_name(reference)?;
        let tags = tags.iter().map(AsRef::as_ref);
        let tagging = Tagging::new(reference, tags, options.if_absent)?;
        let storage: Box<dyn Push> = match reference {
            Reference::Registry(place) => Box::new(self.registries.repository(place)),
            Reference::Layout(place) => change_layout(place).await?,
        };
        let storage = storage.as_ref();
        let (manifest, bytes) = storage.stored_manifest(&name).await?;
        let tags = tagging.changes(storage, &manifest.digest).await?;
        if !options.change_identity {
            let (new, content) = (manifest.clone(), bytes.clone());
            let publisher = async || {
                let archive = reading(self, reference).await?;
                Publisher::of(self, reference, archive.as_ref(), new, content).await
            };
            let identity = TagIdentity::new(self, &tagging, storage);
            identity.keep(&tags, &manifest.digest, publisher).await?;
        }
        for change in &tags {
            let tag = Some(change.tag.as_str());
            storage.put_manifest(&manifest, &bytes, tag).await?;
        }
        storage.finish().await?;
        Ok(Tagged { manifest, tags })
    }
}
