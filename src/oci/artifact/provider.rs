//! A provider archive in a registry: a manifest, its config and its layers.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use crate::content::Descriptor;

use super::super::error::Error;
use super::super::manifest::{CHILDREN_LIMIT, verify};
use super::super::media_type;
use super::super::one_line::one_line;
use super::string_annotations::string_annotations;
use super::written::{WrittenDescriptor, WrittenManifest};

/// The manifest of a provider archive in a registry or a layout.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    descriptor: Descriptor,
    manifest: Bytes,
    config: Descriptor,
    layers: Vec<Descriptor>,
    size: u64,
    annotations: BTreeMap<String, String>,
}

impl Artifact {
    /// The body of the config.
    pub(crate) const CONFIG_BODY: &'static [u8] = b"{}";

    /// Returns the artifact of one archive, in the form that `wash` writes and every host reads. Equal arguments give
    /// equal bytes, so the digest is known before an upload.
    ///
    /// `layer_title` is the file name under which generic tools save the layer.
    pub(crate) fn build(
        layer: &Descriptor,
        layer_title: Option<&str>,
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        let config = Descriptor::of(media_type::PROVIDER_ARCHIVE_CONFIG, Self::CONFIG_BODY);
        Self::with_config(config, layer, layer_title, annotations)
    }

    /// Returns the artifact of one archive with `config` instead of the usual config of provider archives.
    pub(crate) fn with_config(
        config: Descriptor,
        layer: &Descriptor,
        layer_title: Option<&str>,
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        let (descriptor, manifest) = WrittenManifest::of(
            WrittenDescriptor::of(&config),
            WrittenDescriptor::of_layer(layer, layer_title),
            annotations,
        )
        .encode();
        Self {
            descriptor,
            manifest,
            config,
            layers: vec![layer.clone()],
            size: layer.size,
            annotations: annotations.clone(),
        }
    }

    /// Verifies and parses `bytes`, the manifest of `descriptor`. `reference` is for the error message. Fails with
    /// [`Error::Component`] for a WebAssembly component, and with [`Error::UnsupportedArtifact`] for any other artifact
    /// that is not a provider archive.
    pub(crate) fn parse(
        descriptor: Descriptor,
        bytes: Bytes,
        reference: &str,
    ) -> Result<Self, Error> {
        let what = || format!("manifest of {reference}");
        verify(&descriptor, &bytes, what)?;
        let malformed = |reason| Error::malformed(what(), reason);
        let manifest: ImageManifest =
            serde_json::from_slice(&bytes).map_err(Error::json(what()))?;
        if media_type::is_index(&descriptor.media_type) || manifest.manifests.is_some() {
            // A host could read a document that is both a manifest and an index in another way.
            return Err(malformed("it is an index of manifests"));
        }
        if manifest.schema_version != 2 {
            return Err(malformed("its schemaVersion is not 2"));
        }
        let (Some(config), Some(layers)) = (manifest.config, manifest.layers) else {
            return Err(malformed("it has no config or no layers"));
        };
        if layers.len() > CHILDREN_LIMIT {
            return Err(malformed("it has more than 1,000 layers"));
        }
        let contents = std::iter::once(&config).chain(&layers);
        let types = manifest.artifact_type.iter();
        let mut types = types.chain(contents.map(|content| &content.media_type));
        if let Some(found) = types.find(|found| media_type::is_component(found)) {
            return Err(Error::Component {
                reference: reference.to_owned(),
                media_type: found.clone(),
            });
        }
        let is_archive_layer = |layer: &Descriptor| media_type::is_archive_layer(&layer.media_type);
        if layers.is_empty() || !layers.iter().all(is_archive_layer) {
            return Err(unsupported(reference, &config, &layers));
        }
        let mut sizes = layers.iter().map(|layer| layer.size);
        let size = sizes.try_fold(0, u64::checked_add);
        let size =
            size.ok_or_else(|| malformed("its layers have more than 2^64 bytes together"))?;
        Ok(Self {
            descriptor,
            manifest: bytes,
            config,
            layers,
            size,
            annotations: manifest.annotations,
        })
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    pub(crate) fn manifest(&self) -> &Bytes {
        &self.manifest
    }

    pub(crate) fn config(&self) -> &Descriptor {
        &self.config
    }

    /// Returns the layers, at least one. Their contents in this order make up the archive.
    pub(crate) fn layers(&self) -> &[Descriptor] {
        &self.layers
    }

    /// Returns the size of the archive in bytes: the sum of the sizes of the layers in the manifest.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }
}

fn unsupported(reference: &str, config: &Descriptor, layers: &[Descriptor]) -> Error {
    let mut types: Vec<String> = layers
        .iter()
        .map(|layer| format!("`{}`", one_line(&layer.media_type)))
        .collect();
    types.dedup();
    types.truncate(5);
    if types.is_empty() {
        types.push("none".to_owned());
    }
    Error::UnsupportedArtifact {
        reference: reference.to_owned(),
        config: one_line(&config.media_type),
        layers: types.join(", "),
    }
}

/// An image manifest that another tool wrote. An annotation that is not a string is ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageManifest {
    schema_version: u64,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<serde::de::IgnoredAny>,
    #[serde(default, deserialize_with = "string_annotations")]
    annotations: BTreeMap<String, String>,
}

#[cfg(test)]
#[path = "tests/provider.rs"]
mod tests;
