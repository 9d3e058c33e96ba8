//! Lists of referrers: indexes whose tags have the form of digests. Clients maintain them where the registry has no
//! referrers API (OCI distribution specification, "Referrers Tag Schema").

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::content::{Descriptor, Digest, Referrer};

use super::error::{Error, one_line};
use super::index_text::with_entries;
use super::manifest::MANIFEST_LIMIT;
use super::media_type;

/// The endings of the tags under which cosign stores signatures, attestations and bills of materials of a digest.
pub(crate) const ATTACHED: [&str; 3] = ["sig", "att", "sbom"];

/// Returns the tag of the list of the referrers of `subject`, shortened to the length that the specification allows.
pub(crate) fn referrers_tag(subject: &Digest) -> String {
    let hex = subject.hex();
    let hex = hex.get(..64).unwrap_or(hex);
    format!("{}-{hex}", subject.algorithm().name())
}

/// Returns the tags under which cosign may have stored a signature, an attestation and a bill of materials of
/// `subject`.
pub(crate) fn attached_tags(subject: &Digest) -> [String; 3] {
    let (algorithm, hex) = (subject.algorithm().name(), subject.hex());
    ATTACHED.map(|suffix| format!("{algorithm}-{hex}.{suffix}"))
}

/// Returns whether `tag` has the form of a digest, with or without one of the endings of [`ATTACHED`].
pub(crate) fn is_of_digest(tag: &str) -> bool {
    let (name, suffix) = tag.split_once('.').unwrap_or((tag, ""));
    let is_known = suffix.is_empty() || ATTACHED.contains(&suffix);
    is_known && name.replacen('-', ":", 1).parse::<Digest>().is_ok()
}

/// The fields of a manifest that describe it as a referrer.
pub(crate) struct Declaration {
    pub(crate) subject: Digest,
    artifact_type: Option<String>,
    annotations: BTreeMap<String, String>,
}

impl Declaration {
    /// Reads the declaration in a manifest. `None` when it has no subject, or is not a manifest. Leaves out annotations
    /// that are not text.
    pub(crate) fn of(manifest: &[u8]) -> Option<Self> {
        let manifest: Value = serde_json::from_slice(manifest).ok()?;
        let text = |path: &str| manifest.pointer(path).and_then(Value::as_str);
        // Some tools write an empty text if there is no type.
        let artifact_type = text("/artifactType").filter(|name| !name.is_empty());
        Some(Self {
            subject: text("/subject/digest")?.parse().ok()?,
            artifact_type: artifact_type
                .or_else(|| text("/config/mediaType"))
                .map(str::to_owned),
            annotations: texts(manifest.get("annotations")),
        })
    }

    /// Returns the referrer with the manifest of `descriptor`.
    pub(crate) fn describe(self, descriptor: Descriptor) -> Referrer {
        Referrer {
            artifact_type: self.artifact_type,
            annotations: self.annotations,
            ..Referrer::new(descriptor)
        }
    }
}

/// Returns the annotations that are text.
fn texts(annotations: Option<&Value>) -> BTreeMap<String, String> {
    let annotations = annotations.and_then(Value::as_object).into_iter().flatten();
    let texts =
        annotations.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    texts.collect()
}

/// The fields of an entry that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(flatten)]
    descriptor: Descriptor,
    artifact_type: Option<Value>,
    annotations: Option<Value>,
}

impl Entry {
    /// Returns the referrer. Leaves out a type and annotations that are not text.
    fn into_referrer(self) -> Referrer {
        let artifact_type = self.artifact_type.as_ref().and_then(Value::as_str);
        Referrer {
            artifact_type: artifact_type.map(str::to_owned),
            annotations: texts(self.annotations.as_ref()),
            ..Referrer::new(self.descriptor)
        }
    }
}

/// Returns the entry of a list for a referrer.
fn entry(referrer: &Referrer) -> Value {
    let descriptor = &referrer.descriptor;
    let mut entry = Map::new();
    entry.insert("mediaType".to_owned(), json!(descriptor.media_type));
    entry.insert("digest".to_owned(), json!(descriptor.digest));
    entry.insert("size".to_owned(), json!(descriptor.size));
    if let Some(artifact_type) = &referrer.artifact_type {
        entry.insert("artifactType".to_owned(), json!(artifact_type));
    }
    if !referrer.annotations.is_empty() {
        entry.insert("annotations".to_owned(), json!(referrer.annotations));
    }
    Value::Object(entry)
}

/// A list of referrers: an image index, including the parts that only other tools understand.
#[derive(Debug, Clone)]
pub(crate) struct ReferrersIndex {
    /// The text of the index as it was read, with the entries `before`.
    text: String,
    before: Vec<Value>,
    entries: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u64,
    /// Tools written in Go write `null` for an empty list.
    manifests: Option<Vec<Value>>,
}

impl ReferrersIndex {
    /// Returns a list without entries.
    pub(crate) fn empty() -> Self {
        let media_type = media_type::OCI_INDEX;
        let text = format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[]}}"#);
        Self {
            text,
            before: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Reads a list. `what` names it in errors.
    pub(crate) fn parse(bytes: &[u8], what: &str) -> Result<Self, Error> {
        let text = str::from_utf8(bytes).map_err(|_| Error::malformed(what, "it is not UTF-8"))?;
        let document: Document = serde_json::from_str(text).map_err(Error::json(what))?;
        if document.schema_version != 2 {
            return Err(Error::malformed(what, "its schemaVersion is not 2"));
        }
        let entries = document.manifests.unwrap_or_default();
        Ok(Self {
            text: text.to_owned(),
            before: entries.clone(),
            entries,
        })
    }

    /// Returns the referrers on the list, each one once. Skips entries that are not descriptors, with one warning: they
    /// name no content, and the other entries are usable. `what` names the list in the warning.
    pub(crate) fn referrers(&self, what: &str) -> Vec<Referrer> {
        let mut seen = HashSet::new();
        let mut referrers = Vec::with_capacity(self.entries.len());
        let mut problems = Vec::new();
        for entry in &self.entries {
            match Entry::deserialize(entry) {
                Ok(entry) if seen.insert(entry.descriptor.digest.clone()) => {
                    referrers.push(entry.into_referrer());
                }
                Ok(_) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(first) = problems.first() {
            let (count, first) = (problems.len(), one_line(&first.to_string()));
            tracing::warn!(
                "ignoring entries of the {what} that are not descriptors ({count} in all): {first}"
            );
        }
        referrers
    }

    /// Returns whether an entry that is a descriptor has this digest.
    pub(crate) fn lists(&self, digest: &Digest) -> bool {
        let digest = digest.to_string();
        let mut entries = self.entries.iter();
        entries.any(|entry| is_of(entry, &digest) && Entry::deserialize(entry).is_ok())
    }

    /// Adds a referrer as the last entry, unless it is listed.
    pub(crate) fn add(&mut self, referrer: &Referrer) {
        if !self.lists(&referrer.descriptor.digest) {
            self.entries.push(entry(referrer));
        }
    }

    /// Removes all entries of `digest`.
    pub(crate) fn remove(&mut self, digest: &Digest) {
        let digest = digest.to_string();
        self.entries.retain(|entry| !is_of(entry, &digest));
    }

    /// Returns the new text of the list. Unchanged parts keep their bytes.
    pub(crate) fn to_bytes(&self, what: &str) -> Result<Vec<u8>, Error> {
        let text = with_entries(&self.text, &self.before, &self.entries);
        let text = text.map_err(Error::json(what))?;
        if text.len() as u64 > MANIFEST_LIMIT {
            return Err(Error::too_large(what.to_owned(), MANIFEST_LIMIT));
        }
        Ok(text.into_bytes())
    }
}

fn is_of(entry: &Value, digest: &str) -> bool {
    entry.get("digest").and_then(Value::as_str) == Some(digest)
}

#[cfg(test)]
#[path = "tests/referrers.rs"]
mod tests;
