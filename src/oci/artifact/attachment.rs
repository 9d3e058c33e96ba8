//! The manifest of content that is attached to another manifest.

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::Serialize;

use crate::content::Descriptor;

use super::super::media_type;

/// The annotation with a layer's file name (OCI image specification, "Pre-Defined Annotation Keys").
const TITLE: &str = "org.opencontainers.image.title";

/// The manifest of one file that is attached to another manifest, in the form that `oras attach` writes.
#[derive(Debug, Clone)]
pub(crate) struct AttachmentManifest {
    descriptor: Descriptor,
    bytes: Bytes,
    config: Descriptor,
}

impl AttachmentManifest {
    /// The body of the config (OCI image specification, "Guidance for an Empty Descriptor").
    pub(crate) const CONFIG_BODY: &'static [u8] = b"{}";
    /// [`CONFIG_BODY`](Self::CONFIG_BODY) in base64, for the field `data` of its descriptor.
    const CONFIG_DATA: &'static str = "e30=";

    /// Returns the manifest that attaches `layer` to `subject`. Equal arguments give equal bytes. `title` is the file
    /// name under which generic tools save the layer. `data` are the bytes of the layer if the manifest is to hold them
    /// too (OCI image specification, "Embedded Content").
    pub(crate) fn build(
        subject: &Descriptor,
        artifact_type: &str,
        layer: &Descriptor,
        title: Option<&str>,
        data: Option<&[u8]>,
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        let config = Descriptor::of(media_type::EMPTY, Self::CONFIG_BODY);
        let data = data.map(|data| BASE64.encode(data));
        let manifest = WrittenManifest {
            schema_version: 2,
            media_type: media_type::OCI_MANIFEST,
            artifact_type,
            config: WrittenDescriptor {
                data: Some(Self::CONFIG_DATA),
                ..WrittenDescriptor::of(&config)
            },
            layers: [WrittenDescriptor {
                data: data.as_deref(),
                annotations: title.map(|title| BTreeMap::from([(TITLE, title)])),
                ..WrittenDescriptor::of(layer)
            }],
            subject: WrittenDescriptor::of(subject),
            annotations,
        };
        // Serializing strings, numbers and maps with string keys cannot fail.
        let bytes = Bytes::from(serde_json::to_vec(&manifest).unwrap_or_default());
        Self {
            descriptor: Descriptor::of(media_type::OCI_MANIFEST, &bytes),
            bytes,
            config,
        }
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn config(&self) -> &Descriptor {
        &self.config
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenManifest<'a> {
    schema_version: u8,
    media_type: &'a str,
    artifact_type: &'a str,
    config: WrittenDescriptor<'a>,
    layers: [WrittenDescriptor<'a>; 1],
    subject: WrittenDescriptor<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenDescriptor<'a> {
    #[serde(flatten)]
    content: &'a Descriptor,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<&'a str, &'a str>>,
}

impl<'a> WrittenDescriptor<'a> {
    fn of(content: &'a Descriptor) -> Self {
        Self {
            content,
            data: None,
            annotations: None,
        }
    }
}

#[cfg(test)]
#[path = "tests/attachment.rs"]
mod tests;
