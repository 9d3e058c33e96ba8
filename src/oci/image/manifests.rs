//! The manifest of an image for one platform, and the index of a multi-platform image.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use crate::content::{Descriptor, Digest};

use super::super::media_type;
use super::base::BaseImage;
use super::config::ImageConfig;
use super::platform::ImagePlatform;

/// The annotations with the base of an image (OCI image specification, "Pre-Defined Annotation Keys").
const BASE_NAME: &str = "org.opencontainers.image.base.name";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// A layer that an image adds to its base.
#[derive(Debug, Clone)]
pub(crate) struct ImageLayer {
    /// The compressed layer.
    pub(crate) descriptor: Descriptor,
    /// The digest of the tar inside.
    pub(crate) diff_id: Digest,
}

/// The image for one platform.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) platform: ImagePlatform,
    pub(crate) config: (Descriptor, Bytes),
    pub(crate) manifest: (Descriptor, Bytes),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema_version: u8,
    media_type: &'a str,
    config: &'a Descriptor,
    layers: Vec<&'a Descriptor>,
    annotations: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'a str,
    manifests: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a Descriptor>,
    annotations: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    descriptor: &'a Descriptor,
    platform: &'a ImagePlatform,
}

impl Image {
    /// Returns the image for `platform` with `layer` on top of `base`, if there is one. `base_name` is the name of the
    /// base for an annotation.
    pub(crate) fn build(
        config: &ImageConfig,
        platform: ImagePlatform,
        layer: &ImageLayer,
        base: Option<&BaseImage>,
        base_name: Option<&str>,
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        let config = config.encode(&platform, &layer.diff_id, base);
        let config = stored(media_type::IMAGE_CONFIG, config);
        let mut annotations = annotations.clone();
        if let Some(base) = base {
            let digest = base.manifest.digest.to_string();
            annotations.insert(BASE_DIGEST.to_owned(), digest);
        }
        if let Some(name) = base_name {
            annotations.insert(BASE_NAME.to_owned(), name.to_owned());
        }
        let below = base.map(BaseImage::layers).unwrap_or_default();
        let manifest = Manifest {
            schema_version: 2,
            media_type: media_type::OCI_MANIFEST,
            config: &config.0,
            layers: below.iter().chain([&layer.descriptor]).collect(),
            annotations: &annotations,
        };
        let manifest = serde_json::to_vec(&manifest).unwrap_or_default();
        Self {
            platform,
            manifest: stored(media_type::OCI_MANIFEST, manifest),
            config,
        }
    }
}

/// Returns the index of `images`. `subject` is the manifest of the archive that they were made from.
pub(crate) fn image_index<'a>(
    images: impl Iterator<Item = &'a Image>,
    subject: Option<&Descriptor>,
    annotations: &BTreeMap<String, String>,
) -> (Descriptor, Bytes) {
    let entries = images.map(|image| Entry {
        descriptor: &image.manifest.0,
        platform: &image.platform,
    });
    let index = Index {
        schema_version: 2,
        media_type: media_type::OCI_INDEX,
        manifests: entries.collect(),
        subject,
        annotations,
    };
    stored(
        media_type::OCI_INDEX,
        serde_json::to_vec(&index).unwrap_or_default(),
    )
}

fn stored(media_type: &str, bytes: Vec<u8>) -> (Descriptor, Bytes) {
    (Descriptor::of(media_type, &bytes), bytes.into())
}
