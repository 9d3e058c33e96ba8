//! The `index.json` of a layout: which manifests it holds, and what their tags are.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::content::{Descriptor, Digest};

use super::super::{error::Error, media_type, reference::is_tag};
use super::{MARKER, read_bounded, write_atomically};

/// The annotation that is a manifest's tag (OCI image specification, "Image Layout Specification").
const TAG: &str = "org.opencontainers.image.ref.name";

/// The index as it is written, so that what other tools put there stays.
pub(super) struct Index {
    path: PathBuf,
    document: Map<String, Value>,
}

impl Index {
    pub(super) fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("index.json");
        let text = match read_bounded(&path) {
            Ok(text) => text,
            // A layout that nothing has been put into yet.
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let empty = json!({
                    "schemaVersion": 2,
                    "mediaType": media_type::OCI_INDEX,
                    "manifests": [],
                });
                empty.to_string().into_bytes()
            }
            Err(error) => return Err(error),
        };
        let what = || format!("file {}", path.display());
        let document: Map<String, Value> =
            serde_json::from_slice(&text).map_err(|source| Error::Json {
                what: what(),
                source,
            })?;
        if !document.get("manifests").is_some_and(Value::is_array) {
            let reason = "it has no list of manifests".to_owned();
            return Err(Error::Malformed {
                what: what(),
                reason,
            });
        }
        Ok(Self { path, document })
    }

    fn entries(&self) -> impl Iterator<Item = &Value> {
        self.document
            .get("manifests")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    fn entries_mut(&mut self) -> Option<&mut Vec<Value>> {
        self.document
            .get_mut("manifests")
            .and_then(Value::as_array_mut)
    }

    fn descriptor(&self, entry: Option<&Value>) -> Result<Option<Descriptor>, Error> {
        let parsed = entry
            .map(|entry| serde_json::from_value(entry.clone()))
            .transpose();
        let what = || format!("file {}", self.path.display());
        parsed.map_err(|source| Error::Json {
            what: what(),
            source,
        })
    }

    /// Every tag, sorted. What other tools name manifests by that is none, such as a whole reference, is
    /// left out: nobody could write it.
    pub(super) fn tags(&self) -> Vec<String> {
        let tags = self.entries().filter_map(tag_of).filter(|tag| is_tag(tag));
        let tags: BTreeSet<&str> = tags.collect();
        tags.into_iter().map(str::to_owned).collect()
    }

    pub(super) fn find_tag(&self, tag: &str) -> Result<Option<Descriptor>, Error> {
        self.descriptor(self.entries().find(|entry| tag_of(entry) == Some(tag)))
    }

    pub(super) fn find_digest(&self, digest: &Digest) -> Result<Option<Descriptor>, Error> {
        self.descriptor(
            self.entries()
                .find(|entry| is_of(entry, &digest.to_string())),
        )
    }

    /// Lists `descriptor` under `tag`, and removes the tag from the manifest that had it. That
    /// manifest stays listed, or it could no longer be found by its digest.
    fn set(&mut self, descriptor: &Descriptor, tag: &str) {
        let digest = descriptor.digest.to_string();
        let Some(entries) = self.entries_mut() else {
            return;
        };
        for entry in entries.iter_mut() {
            if tag_of(entry) == Some(tag) && !is_of(entry, &digest) {
                remove_tag(entry);
            }
        }
        let mut mine = entries.iter_mut().filter(|entry| is_of(entry, &digest));
        if mine.any(|entry| tag_of(entry) == Some(tag)) {
            return;
        }
        let mut mine = entries.iter_mut().filter(|entry| is_of(entry, &digest));
        if let Some(entry) = mine.find(|entry| tag_of(entry).is_none()) {
            let annotations = entry.as_object_mut().map(|entry| {
                entry
                    .entry("annotations")
                    .or_insert_with(|| Value::Object(Map::new()))
            });
            if let Some(Value::Object(annotations)) = annotations {
                annotations.insert(TAG.to_owned(), Value::from(tag));
                return;
            }
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

/// Lists `descriptor` under `tag` in the index of the layout in `directory`. Blocks until no other process
/// changes the index.
pub(super) fn update(directory: &Path, descriptor: &Descriptor, tag: &str) -> Result<(), Error> {
    // The marker is the one file that is always there and never replaced; a lock file of our own
    // would be a stranger in the layout.
    let marker = directory.join(MARKER);
    let file_error = |source| Error::File {
        path: marker.clone(),
        source,
    };
    let lock = File::options()
        .read(true)
        .write(true)
        .open(&marker)
        .map_err(file_error)?;
    lock.lock().map_err(file_error)?;
    let mut index = Index::read(directory)?;
    index.set(descriptor, tag);
    let text = Value::Object(index.document).to_string();
    write_atomically(&index.path, text.as_bytes())
    // The lock ends with the file.
}
