//! The manifest of content that is attached to another manifest.

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::BASE64;

use crate::content::Descriptor;

use super::super::media_type;
use super::written::{WrittenDescriptor, WrittenManifest};

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
        let written_config = WrittenDescriptor {
            data: Some(Self::CONFIG_DATA),
            ..WrittenDescriptor::of(&config)
        };
        let written_layer = WrittenDescriptor {
            data: data.as_deref(),
            ..WrittenDescriptor::of_layer(layer, title)
        };
        let manifest = WrittenManifest {
            artifact_type: Some(artifact_type),
            subject: Some(WrittenDescriptor::of(subject)),
            ..WrittenManifest::of(written_config, written_layer, annotations)
        };
        let (descriptor, bytes) = manifest.encode();
        Self {
            descriptor,
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

#[cfg(test)]
#[path = "tests/attachment.rs"]
mod tests;
