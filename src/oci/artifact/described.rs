//! The description of a manifest of any kind, for output.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::content::{Descriptor, Digest};

use super::super::annotation_names::TITLE;
use super::super::error::Error;
use super::super::manifest::CHILDREN_LIMIT;
use super::super::media_type;
use super::string_annotations::string_annotations;

/// The description of a manifest or an index. The lists have at most 1,000 entries.
#[derive(Debug, Clone, Default)]
pub(crate) struct DescribedManifest {
    /// The type of the artifact in the manifest, or else the media type of its config, unless the config is the empty
    /// one.
    pub(crate) artifact_type: Option<String>,
    /// The digest of the manifest that this one belongs to.
    pub(crate) subject: Option<Digest>,
    /// The annotations, without those that are not strings.
    pub(crate) annotations: BTreeMap<String, String>,
    /// The layers of an image manifest, or the blobs of an artifact manifest.
    pub(crate) layers: Vec<DescribedLayer>,
    /// The manifests of an index.
    pub(crate) entries: Vec<DescribedEntry>,
}

/// A layer, and the name of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DescribedLayer {
    pub(crate) descriptor: Descriptor,
    pub(crate) title: Option<String>,
}

/// A manifest of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DescribedEntry {
    pub(crate) descriptor: Descriptor,
    /// The platform, such as `linux/arm/v7`.
    pub(crate) platform: Option<String>,
}

impl DescribedManifest {
    /// Reads `bytes`, the verified manifest of `descriptor`.
    ///
    /// Fails with [`Error::Json`] or [`Error::Malformed`] when they are not a manifest, or have more than 1,000 layers
    /// or entries.
    pub(crate) fn parse(descriptor: &Descriptor, bytes: &[u8]) -> Result<Self, Error> {
        let what = || format!("manifest {}", descriptor.digest);
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(Error::json(what()))?;
        let layers = manifest.layers.or(manifest.blobs).unwrap_or_default();
        let entries = manifest.manifests.unwrap_or_default();
        if layers.len() > CHILDREN_LIMIT || entries.len() > CHILDREN_LIMIT {
            let reason = format!("it names more than {CHILDREN_LIMIT} layers or manifests");
            return Err(Error::malformed(what(), reason));
        }
        let config = manifest.config.map(|config| config.content.media_type);
        let config = config.filter(|name| name != media_type::EMPTY && !name.is_empty());
        let artifact_type = manifest.artifact_type.filter(|name| !name.is_empty());
        Ok(Self {
            artifact_type: artifact_type.or(config),
            subject: manifest.subject.map(|subject| subject.content.digest),
            annotations: manifest.annotations,
            layers: layers.into_iter().map(Named::layer).collect(),
            entries: entries.into_iter().map(Named::entry).collect(),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    artifact_type: Option<String>,
    config: Option<Named>,
    subject: Option<Named>,
    layers: Option<Vec<Named>>,
    /// The blobs of an artifact manifest.
    blobs: Option<Vec<Named>>,
    manifests: Option<Vec<Named>>,
    #[serde(default, deserialize_with = "string_annotations")]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(flatten)]
    content: Content,
    #[serde(default, deserialize_with = "string_annotations")]
    annotations: BTreeMap<String, String>,
    platform: Option<Platform>,
}

/// A descriptor in a manifest. Some tools leave out the media type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default)]
    media_type: String,
    digest: Digest,
    size: u64,
}

#[derive(Deserialize)]
struct Platform {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

impl Named {
    fn descriptor(content: Content) -> Descriptor {
        let Content {
            media_type,
            digest,
            size,
        } = content;
        Descriptor {
            media_type,
            digest,
            size,
        }
    }

    fn layer(mut self) -> DescribedLayer {
        DescribedLayer {
            title: self.annotations.remove(TITLE),
            descriptor: Self::descriptor(self.content),
        }
    }

    fn entry(self) -> DescribedEntry {
        DescribedEntry {
            platform: self.platform.and_then(Platform::name),
            descriptor: Self::descriptor(self.content),
        }
    }
}

impl Platform {
    fn name(self) -> Option<String> {
        let parts = [self.os, self.architecture, self.variant];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }
}

#[cfg(test)]
#[path = "tests/described.rs"]
mod tests;
