//! A complete image: its index, its manifests and its blobs.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::content::{Descriptor, Digest, Push, Stored, unix_seconds};
use crate::oci::{BaseImage, Image, ImageConfig, ImagePlatform, Reference, image_index};

use super::super::client::Client;
use super::super::error::Error;
use super::super::lookup::Extracted;
use super::base::Base;
use super::exported::ExportedImage;
use super::labels::{annotations, labels};
use super::layers::{Program, programs};
use super::options::ExportOptions;
use super::sending::Sending;

/// The archive that an image is made from.
pub(in crate::client) struct Archive {
    /// The name for errors.
    pub(in crate::client) name: String,
    /// The digest of the archive's manifest, or of its bytes when it has no manifest.
    pub(in crate::client) digest: Digest,
    /// The annotations of its manifest.
    pub(in crate::client) annotations: BTreeMap<String, String>,
    /// The archive's manifest, when the image goes to the same repository.
    pub(in crate::client) subject: Option<Descriptor>,
}

/// An image for any number of platforms.
pub(in crate::client) struct Built {
    images: Vec<(Image, Program, Option<BaseImage>)>,
    index: (Descriptor, Bytes),
    base: Option<Base>,
}

impl Built {
    /// Makes an image of verified executables. `reader` reads the base.
    pub(in crate::client) async fn new(
        client: &Client,
        reader: &Client,
        options: &ExportOptions,
        extracted: &Extracted,
        archive: &Archive,
    ) -> Result<Self, Error> {
        let claims = &extracted.contents.claims;
        let created = unix_seconds(options.created.unwrap_or_else(|| claims.issued_at()));
        let base = match &options.base {
            Some(base) => Some(Base::open(reader, base).await?),
            None => None,
        };
        let config = ImageConfig {
            entry_point: options.path.clone(),
            labels: labels(options, claims, &archive.annotations, created),
            created,
        };
        let annotations = annotations(&config.labels, &archive.digest);
        let base_name = base.as_ref().and_then(Base::name);
        let programs = packed(client, options, extracted, created).await?;
        let mut images = Vec::with_capacity(programs.len());
        for (platform, program) in programs {
            let below = match &base {
                Some(base) => Some(base.image(&platform).await?),
                None => None,
            };
            let image = Image::build(
                &config,
                platform,
                &program.layer,
                below.as_ref(),
                base_name.as_deref(),
                &annotations,
            );
            images.push((image, program, below));
        }
        let manifests = images.iter().map(|(image, ..)| image);
        let index = image_index(manifests, archive.subject.as_ref(), &annotations);
        Ok(Self {
            images,
            index,
            base,
        })
    }

    /// Returns the descriptor of the index.
    pub(in crate::client) fn index(&self) -> &Descriptor {
        &self.index.0
    }

    /// Returns the image for each platform.
    pub(in crate::client) fn exported(&self) -> Vec<ExportedImage> {
        let images = self.images.iter();
        let images = images.map(|(image, program, _)| ExportedImage {
            target: program.target.clone(),
            platform: image.platform.to_string(),
            digest: image.manifest.0.digest.clone(),
        });
        images.collect()
    }

    /// Sends everything except the index to the storage `to` of `reference`.
    pub(in crate::client) async fn send(
        &self,
        client: &Client,
        to: &dyn Push,
        reference: &Reference,
    ) -> Result<Stored, Error> {
        let sending = Sending {
            client,
            to,
            reference,
            base: self.base.as_ref(),
        };
        let mut stored = Stored::default();
        for (image, program, below) in &self.images {
            stored = stored.and(sending.image(image, program, below.as_ref()).await?);
        }
        Ok(stored)
    }

    /// Sends the index, gives it `tag`, and completes the push. Without a tag, a layout lists it without a name.
    pub(in crate::client) async fn send_index(
        &self,
        to: &dyn Push,
        tag: Option<&str>,
    ) -> Result<(), Error> {
        let (index, bytes) = &self.index;
        to.put_manifest(index, bytes, tag).await?;
        if let (Some(listing), None) = (to.as_listing(), tag) {
            listing.list(index).await?;
        }
        Ok(to.finish().await?)
    }
}

/// Packs each executable into a layer.
async fn packed(
    client: &Client,
    options: &ExportOptions,
    extracted: &Extracted,
    modified: u64,
) -> Result<BTreeMap<ImagePlatform, Program>, Error> {
    let (path, has_base) = (options.path.clone(), options.base.is_some());
    let files = extracted.files.clone();
    let directory = extracted.directory.path().to_owned();
    let packing = client
        .blocking(move |client| programs(client, &files, &directory, &path, modified, has_base));
    packing.await
}
