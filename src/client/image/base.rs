//! The base of a container image, in a registry or a layout.

use bytes::Bytes;

use crate::content::{Content, Descriptor, ManifestName, ReadStorage};
use crate::oci::{BaseImage, ImagePlatform, Reference, read_manifest};

use super::super::client::Client;
use super::super::error::Error;
use super::super::lookup::{named, read_storage};
use super::super::require::require_name;
use super::super::transfer::mountable;

/// A base image for any number of platforms.
pub(super) struct Base {
    reference: Reference,
    storage: Box<dyn ReadStorage>,
    root: Descriptor,
    bytes: Bytes,
}

impl Base {
    /// Reads the manifest or the index of `reference`, as the pull policy of `client` allows.
    pub(super) async fn open(client: &Client, reference: &Reference) -> Result<Self, Error> {
        let reference = named(reference).await?.into_owned();
        let name = require_name(&reference)?;
        let storage = read_storage(client, &reference).await?;
        let (root, bytes) = storage.fetch_manifest(&name).await?;
        Ok(Self {
            reference,
            storage,
            root,
            bytes,
        })
    }

    /// Returns the base image for `platform`, with its config.
    ///
    /// The error is [`Error::Base`] when the base has none, or none that can be used.
    pub(super) async fn image(&self, platform: &ImagePlatform) -> Result<BaseImage, Error> {
        let unusable = |source| Error::Base {
            reference: self.reference.to_string(),
            source,
        };
        let chosen = BaseImage::choose(&self.root, &self.bytes, platform).map_err(unusable)?;
        let bytes = if chosen == self.root {
            self.bytes.clone()
        } else {
            let name = ManifestName::Digest(chosen.digest.clone());
            self.storage.fetch_manifest(&name).await?.1
        };
        let mut image = BaseImage::parse(chosen, &bytes).map_err(unusable)?;
        let config = image.config().clone();
        let config = read_manifest(&config, &self.content(&config))
            .await
            .map_err(unusable)?;
        image.set_config(&config, platform).map_err(unusable)?;
        Ok(image)
    }

    /// Returns the reference of the base for an annotation. `None` for an image layout, whose path means nothing on
    /// another machine.
    pub(super) fn name(&self) -> Option<String> {
        match &self.reference {
            Reference::Registry(place) => Some(place.under_one_name().to_string()),
            Reference::Layout(_) => None,
        }
    }

    /// Returns the content of a layer.
    pub(super) fn content<'a>(&'a self, layer: &'a Descriptor) -> Content<'a> {
        Content::new(self.storage.as_ref(), layer)
    }

    /// Returns the repository that the registry of `destination` can mount layers from.
    pub(super) fn mountable(&self, destination: &Reference) -> Option<&str> {
        mountable(&self.reference, destination)
    }
}
