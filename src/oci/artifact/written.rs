//! Image manifests that this crate writes.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use crate::content::Descriptor;

use super::super::annotation_names::TITLE;
use super::super::media_type;

/// An image manifest with one layer. The fields have the same order as in `wash`, `oci-client` and `oras`, so that equal
/// content gets equal digests.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WrittenManifest<'a> {
    pub(super) schema_version: u8,
    pub(super) media_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<&'a str>,
    pub(super) config: WrittenDescriptor<'a>,
    pub(super) layers: [WrittenDescriptor<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<WrittenDescriptor<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: &'a BTreeMap<String, String>,
}

impl<'a> WrittenManifest<'a> {
    /// Returns the manifest without an artifact type and without a subject.
    pub(super) fn of(
        config: WrittenDescriptor<'a>,
        layer: WrittenDescriptor<'a>,
        annotations: &'a BTreeMap<String, String>,
    ) -> Self {
        Self {
            schema_version: 2,
            media_type: media_type::OCI_MANIFEST,
            artifact_type: None,
            config,
            layers: [layer],
            subject: None,
            annotations,
        }
    }

    /// Returns the bytes of the manifest, and their descriptor.
    pub(super) fn encode(&self) -> (Descriptor, Bytes) {
        // Serializing strings, numbers and maps with string keys cannot fail.
        let bytes = Bytes::from(serde_json::to_vec(self).unwrap_or_default());
        (Descriptor::of(media_type::OCI_MANIFEST, &bytes), bytes)
    }
}

/// A descriptor in such a manifest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WrittenDescriptor<'a> {
    #[serde(flatten)]
    pub(super) content: &'a Descriptor,
    /// The bytes of the content in Base64 (OCI image specification, "Embedded Content").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<BTreeMap<&'a str, &'a str>>,
}

impl<'a> WrittenDescriptor<'a> {
    /// Returns the descriptor of `content` without further fields.
    pub(super) fn of(content: &'a Descriptor) -> Self {
        Self {
            content,
            data: None,
            annotations: None,
        }
    }

    /// Returns the descriptor of a layer. `title` is the file name under which generic tools save the layer.
    pub(super) fn of_layer(layer: &'a Descriptor, title: Option<&'a str>) -> Self {
        Self {
            annotations: title.map(|title| BTreeMap::from([(TITLE, title)])),
            ..Self::of(layer)
        }
    }
}
