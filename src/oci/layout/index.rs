//! The `index.json` of a layout: the manifests that it holds, and their tags.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::content::{Descriptor, Digest};

use super::super::error::Error;
use super::super::media_type;
use super::super::reference::is_tag;
use super::files::{INDEX, MARKER, read_if_present, replace};

/// The annotation with the tag of a manifest (OCI image specification, "Image Layout Specification").
const TAG: &str = "org.opencontainers.image.ref.name";

/// An index, with the parts of it that only other tools understand.
pub(super) struct Index {
    path: PathBuf,
    document: Map<String, Value>,
}

impl Index {
    /// Reads the index of the layout in `directory`. A layout without one has an empty index.
    pub(super) fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(INDEX);
        let what = || format!("file {}", path.display());
        let empty =
            json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []});
        let text = read_if_present(&path)?.unwrap_or_else(|| empty.to_string().into_bytes());
        let document: Map<String, Value> =
            serde_json::from_slice(&text).map_err(Error::json(what()))?;
        if !document.get("manifests").is_some_and(Value::is_array) {
            return Err(Error::malformed(what(), "it has no list of manifests"));
        }
        Ok(Self { path, document })
    }

    /// Returns every tag, sorted. Names that are not tags, such as the whole references that other tools
    /// write, are left out: they cannot be part of a reference to a layout.
    pub(super) fn tags(&self) -> Vec<String> {
        let tags = self.entries().filter_map(tag_of).filter(|tag| is_tag(tag));
        let tags: BTreeSet<&str> = tags.collect();
        tags.into_iter().map(str::to_owned).collect()
    }

    pub(super) fn find_tag(&self, tag: &str) -> Result<Option<Descriptor>, Error> {
        self.find(|entry| tag_of(entry) == Some(tag))
    }

    pub(super) fn find_digest(&self, digest: &Digest) -> Result<Option<Descriptor>, Error> {
        let digest = digest.to_string();
        self.find(|entry| is_of(entry, &digest))
    }

    fn find(&self, matches: impl Fn(&Value) -> bool) -> Result<Option<Descriptor>, Error> {
        let entry = self.entries().find(|entry| matches(entry));
        let parsed = entry.map(|entry| serde_json::from_value(entry.clone()));
        let what = format!("file {}", self.path.display());
        parsed.transpose().map_err(Error::json(what))
    }

    fn entries(&self) -> impl Iterator<Item = &Value> {
        let entries = self.document.get("manifests").and_then(Value::as_array);
        entries.into_iter().flatten()
    }

    /// Lists `descriptor` under `tag`. A manifest that loses the tag stays listed, so that it is still found by
    /// its digest.
    fn set(&mut self, descriptor: &Descriptor, tag: &str) {
        let entries = self.document.get_mut("manifests");
        let Some(entries) = entries.and_then(Value::as_array_mut) else {
            return;
        };
        let digest = descriptor.digest.to_string();
        for entry in entries.iter_mut() {
            if tag_of(entry) == Some(tag) && !is_of(entry, &digest) {
                remove_tag(entry);
            }
        }
        let is_listed = |entry: &Value| is_of(entry, &digest) && tag_of(entry) == Some(tag);
        if entries.iter().any(is_listed) {
            return;
        }
        let mut untagged = entries
            .iter_mut()
            .filter(|entry| is_of(entry, &digest) && tag_of(entry).is_none());
        if untagged.next().is_some_and(|entry| add_tag(entry, tag)) {
            return;
        }
        entries.push(json!({
            "mediaType": descriptor.media_type,
            "digest": digest,
            "size": descriptor.size,
            "annotations": { TAG: tag },
        }));
    }
}

fn tag_of(entry: &Value) -> Option<&str> {
    entry.get("annotations")?.get(TAG)?.as_str()
}

fn is_of(entry: &Value, digest: &str) -> bool {
    entry.get("digest").and_then(Value::as_str) == Some(digest)
}

/// Gives an entry a tag. Returns `false` for a malformed entry, which stays as it is.
fn add_tag(entry: &mut Value, tag: &str) -> bool {
    let annotations = entry.as_object_mut().and_then(|entry| {
        let annotations = entry.entry("annotations").or_insert_with(|| json!({}));
        annotations.as_object_mut()
    });
    annotations
        .map(|annotations| annotations.insert(TAG.to_owned(), Value::from(tag)))
        .is_some()
}

fn remove_tag(entry: &mut Value) {
    let Some(entry) = entry.as_object_mut() else {
        return;
    };
    if let Some(Value::Object(annotations)) = entry.get_mut("annotations") {
        annotations.remove(TAG);
        if annotations.is_empty() {
            entry.remove("annotations");
        }
    }
}

/// Lists `descriptor` under `tag` in the index of the layout in `directory`. Blocks while another process
/// changes the index.
pub(super) fn update(directory: &Path, descriptor: &Descriptor, tag: &str) -> Result<(), Error> {
    // The marker always exists and is never replaced. A lock file would be foreign to the format.
    let marker = directory.join(MARKER);
    let open = File::options().read(true).write(true).open(&marker);
    // Closing the file at the end of this function releases the lock.
    let lock = open.map_err(Error::file(&marker))?;
    lock.lock().map_err(Error::file(&marker))?;
    let mut index = Index::read(directory)?;
    index.set(descriptor, tag);
    let text = Value::Object(index.document).to_string();
    replace(&index.path, text.as_bytes())
}
