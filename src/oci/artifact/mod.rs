//! What a provider archive looks like in a registry: a manifest, its config and its layers.

use std::collections::BTreeMap;

use bytes::Bytes;
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use serde::{Deserialize, Deserializer};

use crate::content::{Descriptor, Digest, VerifyError};

use super::MANIFEST_LIMIT;
use super::error::{Error, one_line};
use super::media_type;

/// The annotation with a layer's file name (OCI image specification, "Pre-Defined Annotation Keys").
const TITLE: &str = "org.opencontainers.image.title";
/// How many layers or platforms of a foreign manifest are looked at.
const CHILDREN_LIMIT: usize = 1000;

/// A provider archive as a registry keeps it.
#[derive(Debug, Clone)]
pub struct Artifact {
    descriptor: Descriptor,
    manifest: Bytes,
    config: Descriptor,
    layers: Vec<Descriptor>,
    size: u64,
    annotations: BTreeMap<String, String>,
}

impl Artifact {
    /// The body of the config.
    pub const CONFIG_BODY: &'static [u8] = b"{}";

    /// The artifact of one archive, as `wash` makes it and every host reads it. The same arguments
    /// give the same bytes, so the digest is known before anything is sent.
    ///
    /// `layer_title` is the file name that generic tools give to the layer.
    #[must_use]
    pub fn build(
        layer: &Descriptor,
        layer_title: Option<&str>,
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        let config = Descriptor::of(media_type::PROVIDER_ARCHIVE_CONFIG, Self::CONFIG_BODY);
        Self::with_config(config, layer, layer_title, annotations)
    }

    /// The same with another config than the one that all provider archives share.
    pub(crate) fn with_config(
        config: Descriptor,
        layer: &Descriptor,
        layer_title: Option<&str>,
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        let mut wire_layer = to_wire(layer);
        wire_layer.annotations =
            layer_title.map(|title| BTreeMap::from([(TITLE.to_owned(), title.to_owned())]));
        let manifest = OciImageManifest {
            schema_version: 2,
            media_type: Some(media_type::OCI_MANIFEST.to_owned()),
            config: to_wire(&config),
            layers: vec![wire_layer],
            annotations: (!annotations.is_empty()).then(|| annotations.clone()),
            ..OciImageManifest::default()
        };
        // Strings, numbers and maps with string keys: nothing in it that JSON could not say.
        let manifest = Bytes::from(serde_json::to_vec(&manifest).unwrap_or_default());
        Self {
            descriptor: Descriptor::of(media_type::OCI_MANIFEST, &manifest),
            manifest,
            config,
            layers: vec![layer.clone()],
            size: layer.size,
            annotations: annotations.clone(),
        }
    }

    /// Reads the manifest `bytes` that `descriptor` names; `reference` is for the error message.
    ///
    /// # Errors
    ///
    /// [`Error::NotVerified`] when the bytes are not those of the descriptor, [`Error::Malformed`] or
    /// [`Error::Json`] when they are no image manifest, [`Error::Component`] for WebAssembly and
    /// [`Error::UnsupportedArtifact`] for everything else that is not a provider archive.
    pub fn parse(descriptor: Descriptor, bytes: Bytes, reference: &str) -> Result<Self, Error> {
        let what = || format!("manifest of {reference}");
        verify(&descriptor, &bytes, what)?;
        let malformed = |reason: &str| Error::Malformed {
            what: what(),
            reason: reason.to_owned(),
        };
        let manifest: ImageManifest =
            serde_json::from_slice(&bytes).map_err(|source| Error::Json {
                what: what(),
                source,
            })?;
        if media_type::is_index(&descriptor.media_type) || manifest.manifests.is_some() {
            // Bytes that read as both could mean one thing to us and another to a host.
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
        let types = [
            manifest.artifact_type.as_deref(),
            Some(config.media_type.as_str()),
        ];
        let layer_types = layers.iter().map(|layer| Some(layer.media_type.as_str()));
        let component = types.into_iter().chain(layer_types).flatten();
        if let Some(found) = component
            .into_iter()
            .find(|found| media_type::is_component(found))
        {
            return Err(Error::Component {
                reference: reference.to_owned(),
                media_type: found.to_owned(),
            });
        }
        let is_archive_layer = |layer: &Descriptor| {
            let known = [
                media_type::PROVIDER_ARCHIVE_LAYER,
                media_type::IMAGE_LAYER_TAR,
            ];
            known.contains(&layer.media_type.as_str())
        };
        if layers.is_empty() || !layers.iter().all(is_archive_layer) {
            return Err(unsupported(reference, &config, &layers));
        }
        let mut sizes = layers.iter().map(|layer| layer.size);
        let size = sizes
            .try_fold(0, u64::checked_add)
            .ok_or_else(|| malformed("its layers have more than 2^64 bytes together"))?;
        Ok(Self {
            descriptor,
            manifest: bytes,
            config,
            layers,
            size,
            annotations: manifest.annotations,
        })
    }

    /// What the manifest is called.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The bytes of the manifest.
    #[must_use]
    pub fn manifest(&self) -> &Bytes {
        &self.manifest
    }

    /// The config.
    #[must_use]
    pub fn config(&self) -> &Descriptor {
        &self.config
    }

    /// The layers, never none; joined in this order they are the archive.
    #[must_use]
    pub fn layers(&self) -> &[Descriptor] {
        &self.layers
    }

    /// How many bytes the archive has: all layers together, as the manifest says.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The annotations of the manifest.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
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
    Error::UnsupportedArtifact {
        reference: reference.to_owned(),
        config: one_line(&config.media_type),
        layers: if types.is_empty() {
            "none".to_owned()
        } else {
            types.join(", ")
        },
    }
}

/// The manifest in an image index for the platform `os` and `architecture`, in Rust's or in OCI's
/// names; else the only one that there is. Docker's manifest list is read too.
///
/// # Errors
///
/// [`Error::NoPlatform`] when there are several and none fits; [`Error::Json`] and
/// [`Error::Malformed`] when the bytes are no index.
pub fn choose_from_index(bytes: &[u8], os: &str, architecture: &str) -> Result<Descriptor, Error> {
    let what = || "image index".to_owned();
    let malformed = |reason: &str| Error::Malformed {
        what: what(),
        reason: reason.to_owned(),
    };
    if bytes.len() as u64 > MANIFEST_LIMIT {
        return Err(Error::TooLarge {
            what: what(),
            limit: MANIFEST_LIMIT,
        });
    }
    let index: ImageIndex = serde_json::from_slice(bytes).map_err(|source| Error::Json {
        what: what(),
        source,
    })?;
    if index.layers.is_some() {
        return Err(malformed("it is a manifest with layers too"));
    }
    if index.manifests.len() > CHILDREN_LIMIT {
        return Err(malformed("it has more than 1,000 entries"));
    }
    let wanted = format!("{}/{}", go_os(os), go_architecture(architecture));
    let mut entries = Vec::new();
    for entry in index.manifests {
        let platform = match entry.platform {
            Some(platform) => format!("{}/{}", platform.os, platform.architecture),
            None => "any platform".to_owned(),
        };
        // Attestations of a build are filed under `unknown/unknown`.
        if platform != "unknown/unknown" && media_type::is_manifest(&entry.media_type) {
            let descriptor = Descriptor {
                media_type: entry.media_type,
                digest: entry.digest,
                size: entry.size,
            };
            entries.push((platform, descriptor));
        }
    }
    let fitting = entries.iter().find(|(platform, _)| *platform == wanted);
    match (fitting, entries.as_slice()) {
        (Some((_, descriptor)), _) | (None, [(_, descriptor)]) => Ok(descriptor.clone()),
        _ => {
            let platforms: Vec<_> = entries
                .iter()
                .map(|(platform, _)| platform.as_str())
                .collect();
            let available = if platforms.is_empty() {
                "none".into()
            } else {
                platforms.join(", ")
            };
            Err(Error::NoPlatform {
                wanted,
                available: one_line(&available),
            })
        }
    }
}

fn go_os(os: &str) -> &str {
    match os {
        "macos" => "darwin",
        other => other,
    }
}

fn go_architecture(architecture: &str) -> &str {
    match architecture {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64le" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

fn to_wire(descriptor: &Descriptor) -> OciDescriptor {
    OciDescriptor {
        media_type: descriptor.media_type.clone(),
        digest: descriptor.digest.to_string(),
        size: i64::try_from(descriptor.size).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    }
}

/// Checks that `bytes` are those of `descriptor`.
pub(super) fn verify(
    descriptor: &Descriptor,
    bytes: &[u8],
    what: impl Fn() -> String,
) -> Result<(), Error> {
    let mut hasher = crate::content::Hasher::new(descriptor.digest.algorithm());
    hasher.update(bytes);
    let actual: Digest = hasher.finish();
    if actual != descriptor.digest {
        let source = VerifyError::WrongDigest {
            expected: descriptor.digest.clone(),
            actual,
        };
        return Err(Error::NotVerified {
            what: what(),
            source,
        });
    }
    if bytes.len() as u64 != descriptor.size {
        return Err(Error::Contradiction {
            what: what(),
            announced: format!("{} bytes", descriptor.size),
            actual: format!("{} bytes", bytes.len()),
        });
    }
    Ok(())
}

/// An image manifest as others write it. Not `oci_client`'s type: one annotation that is not a string
/// would make it refuse the whole manifest, and its sizes may be negative.
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

#[derive(Deserialize)]
struct ImageIndex {
    manifests: Vec<IndexEntry>,
    layers: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexEntry {
    media_type: String,
    digest: Digest,
    size: u64,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

fn string_annotations<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let serde_json::Value::Object(map) = value else {
        return Ok(BTreeMap::new());
    };
    let strings = map.into_iter().filter_map(|(key, value)| match value {
        serde_json::Value::String(value) => Some((key, value)),
        _ => None,
    });
    Ok(strings.collect())
}

#[cfg(test)]
mod tests;
