//! The config of a container image (OCI image specification, "Image Configuration").

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::content::{Digest, rfc3339};

use super::base::{BaseConfig, BaseImage};
use super::platform::ImagePlatform;

/// The user and the group of the process in a container. Both are unprivileged, and base images do not use them.
const USER: &str = "65532:65532";
/// The name of this software in the history of an image.
const CREATOR: &str = "wasmcloud-par";
/// The prefix of labels that describe an image. Such labels of a base image are not kept, because they do not describe
/// the image that is built on it.
const DESCRIPTIONS: &str = "org.opencontainers.image.";
/// The settings of the base that an image keeps, besides labels. The entry point, its arguments, the health check and
/// the user belong to the program of the base and are not kept.
const KEPT: [&str; 5] = ["Env", "ExposedPorts", "StopSignal", "Volumes", "WorkingDir"];

/// The settings that the images for all platforms have in common.
#[derive(Debug, Clone)]
pub(crate) struct ImageConfig {
    /// The path of the executable, which begins with a slash.
    pub(crate) entry_point: String,
    /// The labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// The time of creation, in seconds since 1970.
    pub(crate) created: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    created: String,
    #[serde(flatten)]
    platform: &'a ImagePlatform,
    config: BTreeMap<String, Value>,
    rootfs: RootFs<'a>,
    history: Vec<BTreeMap<String, Value>>,
}

#[derive(Serialize)]
struct RootFs<'a> {
    r#type: &'a str,
    diff_ids: Vec<String>,
}

impl ImageConfig {
    /// Returns the config of the image for `platform`. Its layers are those of `base`, if there is one, and on top of
    /// them the layer whose tar has the digest `diff_id`.
    pub(super) fn encode(
        &self,
        platform: &ImagePlatform,
        diff_id: &Digest,
        base: Option<&BaseImage>,
    ) -> Vec<u8> {
        let base = base.map(|base| &base.content);
        let created = rfc3339(self.created);
        let below = base.map(|base| base.rootfs.diff_ids.as_slice());
        let diff_ids = below.unwrap_or_default().iter().chain([diff_id]);
        let ours = [
            ("comment", "executable of a verified provider archive"),
            ("created", &created),
            ("created_by", CREATOR),
        ];
        let ours = ours.map(|(name, value)| (name.to_owned(), Value::from(value)));
        let mut history = base.map(history).unwrap_or_default();
        history.push(BTreeMap::from(ours));
        let document = Document {
            created,
            platform,
            config: self.settings(base.and_then(|base| base.config.as_ref())),
            rootfs: RootFs {
                r#type: "layers",
                diff_ids: diff_ids.map(ToString::to_string).collect(),
            },
            history,
        };
        // Serializing strings and maps with string keys cannot fail.
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// Returns the settings with which containers are started.
    fn settings(&self, base: Option<&Map<String, Value>>) -> BTreeMap<String, Value> {
        let kept = KEPT.into_iter().filter_map(|name| {
            let value = base?.get(name)?;
            Some((name.to_owned(), sorted(value)))
        });
        let mut settings: BTreeMap<_, _> = kept.collect();
        let mut labels = BTreeMap::new();
        let theirs = base.and_then(|base| base.get("Labels")?.as_object());
        for (name, value) in theirs.into_iter().flatten() {
            if let Some(value) = value.as_str().filter(|_| !name.starts_with(DESCRIPTIONS)) {
                labels.insert(name.as_str(), value);
            }
        }
        let ours = self.labels.iter();
        labels.extend(ours.map(|(name, value)| (name.as_str(), value.as_str())));
        settings.insert("Entrypoint".to_owned(), json!([self.entry_point]));
        settings.insert("User".to_owned(), json!(USER));
        settings.insert("Labels".to_owned(), json!(labels));
        settings
    }
}

/// Returns the history of a base. Programs match the history with the layers, so a base without a history gets one
/// entry for each layer.
fn history(base: &BaseConfig) -> Vec<BTreeMap<String, Value>> {
    let theirs = base.history.as_deref().unwrap_or_default();
    if theirs.is_empty() {
        let entry = BTreeMap::from([("comment".to_owned(), json!("layer of the base image"))]);
        return vec![entry; base.rootfs.diff_ids.len()];
    }
    let entries = theirs.iter().filter_map(Value::as_object);
    let entries = entries.map(|entry| {
        let fields = entry.iter();
        fields
            .map(|(name, value)| (name.clone(), sorted(value)))
            .collect()
    });
    entries.collect()
}

/// Returns a value whose objects have sorted keys, even when `serde_json` is built with the feature `preserve_order`.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, Value> = fields
                .iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            Value::Object(
                fields
                    .into_iter()
                    .map(|(name, value)| (name.clone(), value))
                    .collect(),
            )
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
