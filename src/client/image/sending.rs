//! Sending an image to a storage.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{Descriptor, Push, Step, Stored};
use crate::oci::{BaseImage, Image, Reference};

use super::super::client::Client;
use super::super::error::Error;
use super::super::transfer::{MeteredSource, neighbour, put_blob, remember};
use super::base::Base;
use super::layers::Program;

/// How many layers of a base are sent at a time.
const AT_A_TIME: usize = 4;

/// The destination of an image.
pub(super) struct Sending<'a> {
    pub(super) client: &'a Client,
    pub(super) to: &'a dyn Push,
    /// The reference of the storage `to`.
    pub(super) reference: &'a Reference,
    pub(super) base: Option<&'a Base>,
}

impl Sending<'_> {
    /// Sends the image for one platform: the layers of its base, its own layer, its config, and its manifest.
    pub(super) async fn image(
        &self,
        image: &Image,
        program: &Program,
        below: Option<&BaseImage>,
    ) -> Result<Stored, Error> {
        let below = below.map(BaseImage::layers).unwrap_or_default();
        let copies: Vec<_> = below.iter().map(|layer| self.base_layer(layer)).collect();
        let copies = stream::iter(copies).buffer_unordered(AT_A_TIME);
        let mut stored = copies
            .try_fold(Stored::default(), async |sum, one| Ok(sum.and(one)))
            .await?;
        stored = stored.and(self.program(program).await?);
        let (config, bytes) = &image.config;
        stored = stored.and(put_blob(self.to, config, None, bytes).await?);
        let (manifest, bytes) = &image.manifest;
        self.to.put_manifest(manifest, bytes, None).await?;
        let layers = below.iter().chain([&program.layer.descriptor]);
        let layers: Vec<_> = layers.cloned().collect();
        remember(self.client, self.reference, &layers).await;
        Ok(stored)
    }

    async fn program(&self, program: &Program) -> Result<Stored, Error> {
        let layer = &program.layer.descriptor;
        let from = neighbour(self.client, self.reference, &layer.digest).await;
        let progress = self.client.progress.as_ref();
        let source = MeteredSource::new(&program.file, layer, Step::Uploading, progress);
        put_blob(self.to, layer, from.as_deref(), &source).await
    }

    async fn base_layer(&self, layer: &Descriptor) -> Result<Stored, Error> {
        let Some(base) = self.base else {
            return Ok(Stored::default());
        };
        let from = base.mountable(self.reference);
        let content = base.content(layer);
        let progress = self.client.progress.as_ref();
        let source = MeteredSource::new(&content, layer, Step::Copying, progress);
        put_blob(self.to, layer, from, &source).await
    }
}
