//! A provider archive in a registry: a manifest, its config and its layers.

use std::collections::BTreeMap;

use bytes::Bytes;
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use serde::{Deserialize, Deserializer};

use crate::content::Descriptor;

use super::super::error::Error;
use super::super::manifest::{CHILDREN_LIMIT, verify};
use super::super::media_type;
use super::super::one_line::one_line;

/// The annotation with a layer's file name (OCI image specification, "Pre-Defined Annotation Keys").
const TITLE: &str = "org.opencontainers.image.title";

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

    /// Returns the artifact of one archive, in the form that `wash` writes and every host reads. Equal
    /// arguments give equal bytes, so the digest is known before anything is sent.
    ///
    /// `layer_title` is the file name that generic tools give to the layer.
    #[must_use]
    pub(crate) fn build(
        layer: &Descriptor,
        layer_title: Option<&str>,
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        let config = Descriptor::of(media_type::PROVIDER_ARCHIVE_CONFIG, Self::CONFIG_BODY);
        Self::with_config(config, layer, layer_title, annotations)
    }

    /// Returns the artifact of one archive with `config` in place of the config that provider archives
    /// share.
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
        // Serializing strings, numbers and maps with string keys cannot fail.
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

    /// Parses the manifest `bytes` that `descriptor` names; `reference` is for the error message.
    ///
    /// # Errors
    ///
    /// [`Error::NotVerified`] when the bytes are not those of the descriptor, [`Error::Malformed`] or
    /// [`Error::Json`] when they are not an image manifest, [`Error::Component`] for WebAssembly and
    /// [`Error::UnsupportedArtifact`] for everything else that is not a provider archive.
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
            // A document that is both a manifest and an index could mean different content to a host.
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
        let component = types
            .into_iter()
            .chain(layer_types)
            .flatten()
            .find(|found| media_type::is_component(found));
        if let Some(found) = component {
            return Err(Error::Component {
                reference: reference.to_owned(),
                media_type: found.to_owned(),
            });
        }
        let is_archive_layer = |layer: &Descriptor| media_type::is_archive_layer(&layer.media_type);
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

    /// Returns the descriptor of the manifest.
    #[must_use]
    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Returns the bytes of the manifest.
    #[must_use]
    pub(crate) fn manifest(&self) -> &Bytes {
        &self.manifest
    }

    /// Returns the descriptor of the config.
    #[must_use]
    pub(crate) fn config(&self) -> &Descriptor {
        &self.config
    }

    /// Returns the layers, at least one. Joined in this order, they are the archive.
    #[must_use]
    pub(crate) fn layers(&self) -> &[Descriptor] {
        &self.layers
    }

    /// Returns the size of the archive in bytes: the sum of its layers in the manifest.
    #[must_use]
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the annotations of the manifest.
    #[must_use]
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

fn to_wire(descriptor: &Descriptor) -> OciDescriptor {
    OciDescriptor {
        media_type: descriptor.media_type.clone(),
        digest: descriptor.digest.to_string(),
        size: i64::try_from(descriptor.size).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    }
}

/// An image manifest that another tool wrote. The type of `oci_client` refuses the whole manifest for one
/// annotation that is not a string, and accepts negative sizes.
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
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ANY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn layer() -> Descriptor {
        Descriptor::of(media_type::PROVIDER_ARCHIVE_LAYER, b"archive")
    }

    fn parse(manifest: &Value) -> Result<Artifact, Error> {
        let bytes = Bytes::from(serde_json::to_vec(manifest).unwrap());
        let descriptor = Descriptor::of(media_type::OCI_MANIFEST, &bytes);
        Artifact::parse(descriptor, bytes, "ghcr.io/org/provider:1")
    }

    fn manifest(config_type: &str, layer_type: &str) -> Value {
        json!({
            "schemaVersion": 2,
            "config": {"mediaType": config_type, "digest": ANY, "size": 2},
            "layers": [{"mediaType": layer_type, "digest": ANY, "size": 7}],
        })
    }

    #[test]
    fn a_built_artifact_has_the_form_of_wash() {
        let annotations = BTreeMap::from([("b".to_owned(), "2".to_owned())]);
        let artifact = Artifact::build(&layer(), Some("provider.par.gz"), &annotations);
        let manifest: Value = serde_json::from_slice(artifact.manifest()).unwrap();
        assert_eq!(manifest["mediaType"], media_type::OCI_MANIFEST);
        assert_eq!(
            manifest["config"]["mediaType"],
            media_type::PROVIDER_ARCHIVE_CONFIG
        );
        assert_eq!(manifest["config"]["size"], 2);
        assert_eq!(manifest["layers"][0]["digest"], layer().digest.to_string());
        assert_eq!(
            manifest["layers"][0]["annotations"][TITLE],
            "provider.par.gz"
        );
        let again = Artifact::build(&layer(), Some("provider.par.gz"), &annotations);
        assert_eq!(artifact.descriptor(), again.descriptor());
        let descriptor = artifact.descriptor().clone();
        let parsed = Artifact::parse(descriptor, artifact.manifest().clone(), "here").unwrap();
        assert_eq!(parsed.layers(), [layer()]);
        assert_eq!(parsed.annotations(), &annotations);
    }

    #[test]
    fn one_malformed_annotation_does_not_drop_the_others() {
        let mut body = manifest("application/json", media_type::IMAGE_LAYER_TAR);
        body["annotations"] = json!({"good": "yes", "bad": null, "worse": {"a": 1}});
        let annotations = parse(&body).unwrap().annotations().clone();
        assert_eq!(
            annotations,
            BTreeMap::from([("good".to_owned(), "yes".to_owned())])
        );
    }

    #[test]
    fn a_component_is_refused_with_a_hint_at_its_tool() {
        let error = parse(&manifest(
            "application/vnd.wasm.config.v0+json",
            "application/wasm",
        ));
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Component { .. }));
    }

    #[test]
    fn another_artifact_is_refused_with_its_media_types() {
        let error = parse(&manifest("application/vnd.helm", "application/x-chart")).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("vnd.helm") && message.contains("x-chart"),
            "{message}"
        );
    }

    #[test]
    fn contradictions_in_a_manifest_are_errors() {
        let good = manifest("a/b", media_type::PROVIDER_ARCHIVE_LAYER);
        assert!(parse(&good).is_ok());
        let mut negative = good.clone();
        negative["layers"][0]["size"] = json!(-1);
        assert!(matches!(parse(&negative), Err(Error::Json { .. })));
        let mut both = good.clone();
        both["manifests"] = json!([]);
        assert!(matches!(parse(&both), Err(Error::Malformed { .. })));
        let mut many = good.clone();
        many["layers"] = Value::Array(vec![good["layers"][0].clone(); 1001]);
        assert!(matches!(parse(&many), Err(Error::Malformed { .. })));
        let mut large = good.clone();
        large["layers"] = Value::Array(vec![good["layers"][0].clone(); 2]);
        large["layers"][0]["size"] = json!(u64::MAX - 7);
        assert_eq!(parse(&large).unwrap().size(), u64::MAX);
        large["layers"][1]["size"] = json!(8);
        assert!(matches!(parse(&large), Err(Error::Malformed { .. })));
        let bytes = Bytes::from_static(b"{}");
        let other = Descriptor::of(media_type::OCI_MANIFEST, b"{ }");
        assert!(matches!(
            Artifact::parse(other, bytes, "here"),
            Err(Error::NotVerified { .. })
        ));
    }
}
