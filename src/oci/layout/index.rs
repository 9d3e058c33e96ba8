//! The `index.json` of a layout: its manifests and their names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::content::{Descriptor, Digest, ManifestName};

use super::super::error::Error;
use super::super::index_text::with_entries;
use super::super::media_type;
use super::super::one_line::one_line;
use super::super::reference::{is_layout_name, is_tag};
use super::super::referrers::is_of_digest;
use super::files::{INDEX, read_if_present};
use super::names::{
    CHOICES, TAG, choices, digest_of, fitting, is_of, name_of, remove_name, tag_of,
};

/// The index of a layout.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// The directory or the file of the layout, for errors.
    place: PathBuf,
    /// The name of the index in errors.
    what: String,
    /// The text of the index as it was read, including the parts that only other tools understand.
    text: String,
    entries: Vec<Value>,
}

#[derive(Deserialize)]
struct Document {
    /// Tools written in Go write `null` for an empty list.
    manifests: Option<Vec<Value>>,
}

impl Index {
    /// Reads the index of the layout in `directory`. A layout without one has an empty index.
    pub(super) fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(INDEX);
        Self::parse(
            directory,
            format!("file {}", path.display()),
            read_if_present(&path)?,
        )
    }

    /// Parses the index of the layout at `place`. `what` names the index in errors. Without a `text`, the index is
    /// empty.
    pub(in crate::oci) fn parse(
        place: &Path,
        what: String,
        text: Option<Vec<u8>>,
    ) -> Result<Self, Error> {
        let empty =
            json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []});
        let text = text.unwrap_or_else(|| empty.to_string().into_bytes());
        let text = String::from_utf8(text)
            .map_err(|_| Error::malformed(what.as_str(), "it is not UTF-8"))?;
        let document: Document = serde_json::from_str(&text).map_err(Error::json(what.as_str()))?;
        Ok(Self {
            place: place.to_owned(),
            what,
            text,
            entries: document.manifests.unwrap_or_default(),
        })
    }

    /// Returns the text of the index as it was read.
    pub(in crate::oci) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the new text of the index after a change of its entries. `before` is the index before the change.
    pub(super) fn text_after(&self, before: &Self) -> Result<String, Error> {
        let text = with_entries(&self.text, &before.entries, &self.entries);
        text.map_err(Error::json(self.what.as_str()))
    }

    /// Returns the text of the index. Entries that `before` does not have are sorted, so that their order does not depend on
    /// the order of adding them. Without a change, returns the text of `before`.
    pub(in crate::oci) fn sorted_after(&self, before: Option<&Self>) -> Result<String, Error> {
        let before = match before {
            Some(before) if before.entries == self.entries => return Ok(before.text.clone()),
            before => before.map_or(&[][..], |before| before.entries.as_slice()),
        };
        // `before` may have entries that are no longer in the index, such as a replaced list of referrers.
        let mut older = before.iter();
        let is_kept = |entry: &&Value| older.any(|older| digest_of(older) == digest_of(entry));
        let kept = self.entries.iter().take_while(is_kept).count();
        let mut entries = self.entries.clone();
        if let Some(new) = entries.get_mut(kept..) {
            new.sort_by_cached_key(|entry| {
                let name = name_of(entry).map(str::to_owned);
                (name, digest_of(entry).map(str::to_owned))
            });
        }
        with_entries(&self.text, &self.entries, &entries).map_err(Error::json(self.what.as_str()))
    }

    /// Returns the manifest that `name` names. `None` for a digest that is not listed.
    ///
    /// # Errors
    ///
    /// [`Error::NotInLayout`] for a name that the index does not have, and [`Error::Ambiguous`] for a name of several
    /// manifests.
    pub(in crate::oci) fn find(&self, name: &ManifestName) -> Result<Option<Descriptor>, Error> {
        match name {
            ManifestName::Digest(digest) => self.find_digest(digest),
            ManifestName::Tag(tag) => {
                let found = self.find_name(tag)?;
                let missing = || {
                    let what = format!("tag `{}`: {}", one_line(tag), self.known_names());
                    self.missing(what)
                };
                found.ok_or_else(missing).map(Some)
            }
        }
    }

    /// Returns the error for content that is not in the layout.
    pub(in crate::oci) fn missing(&self, what: impl Into<String>) -> Error {
        Error::NotInLayout {
            directory: self.place.clone(),
            what: what.into(),
        }
    }

    /// Returns the tags, sorted. If all tags of the index have the form of digests, the list also has the names of
    /// other tools that are whole references.
    pub(in crate::oci) fn tags(&self) -> Vec<String> {
        let mut names = self.names();
        let of_digests = names.iter().filter(|name| is_of_digest(name)).count();
        let tags = names.iter().filter(|name| is_tag(name)).count();
        if tags > of_digests {
            names.retain(|name| is_tag(name));
        }
        names
    }

    /// Returns every name of a manifest, sorted: tags, and whole references that other tools wrote.
    fn names(&self) -> Vec<String> {
        let names = self.entries.iter().filter_map(name_of);
        let names: BTreeSet<&str> = names.filter(|name| is_layout_name(name)).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Returns each name with its manifest, sorted by name.
    pub(in crate::oci) fn named(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        let names = self.names().into_iter();
        let named = names.map(|name| Ok(self.find_name(&name)?.map(|found| (name, found))));
        named.filter_map(Result::transpose).collect()
    }

    /// Returns a list of the names of the layout, for an error about a name that it does not have. Tags of attachments
    /// are listed only if there are no other names.
    fn known_names(&self) -> String {
        let mut names = self.names();
        if names.is_empty() {
            return "it has no names".to_owned();
        }
        if names.iter().any(|name| !is_of_digest(name)) {
            names.retain(|name| !is_of_digest(name));
        }
        if names.len() > CHOICES {
            names.truncate(CHOICES);
            names.push("more".to_owned());
        }
        format!("it has {}", names.join(", "))
    }

    /// Returns the manifest that `name` names.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when it is the name of several manifests.
    pub(in crate::oci) fn find_name(&self, name: &str) -> Result<Option<Descriptor>, Error> {
        let entries: Vec<&Value> = self.entries.iter().collect();
        let fitting = fitting(&entries, name);
        if fitting.is_empty() {
            return Ok(None);
        }
        let problem = || format!("under the name `{}`", one_line(name));
        self.one_of(&fitting, problem).map(Some)
    }

    fn find_digest(&self, digest: &Digest) -> Result<Option<Descriptor>, Error> {
        let digest = digest.to_string();
        let entry = self.entries.iter().find(|entry| is_of(entry, &digest));
        entry.map(|entry| self.descriptor(entry)).transpose()
    }

    /// Returns the only manifest of the layout. Manifests that belong to another manifest do not count: those whose tag
    /// has the form of a digest, and those without a name for which `is_referrer` returns `true`.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when the layout has several manifests, and [`Error::NotInLayout`] when it is empty.
    pub(super) fn only(
        &self,
        is_referrer: impl Fn(&Digest) -> Result<bool, Error>,
    ) -> Result<Descriptor, Error> {
        let entries = self.entries.iter();
        let own = entries.filter(|entry| !tag_of(entry).is_some_and(is_of_digest));
        let mut entries: Vec<&Value> = own.collect();
        if entries.len() > 1 {
            let mut own = Vec::new();
            for entry in &entries {
                let digest = digest_of(entry).and_then(|digest| digest.parse().ok());
                let unnamed = digest.filter(|_| name_of(entry).is_none());
                if !unnamed
                    .map(|digest| is_referrer(&digest))
                    .transpose()?
                    .unwrap_or(false)
                {
                    own.push(*entry);
                }
            }
            if !own.is_empty() {
                entries = own;
            }
        }
        if entries.is_empty() {
            entries = self.entries.iter().collect();
        }
        if entries.is_empty() {
            return Err(self.missing("manifest of an archive: it lists none"));
        }
        self.one_of(&entries, || "and no name is given".to_owned())
    }

    /// Returns the manifest of `entries`. Fails unless all of them have the same digest.
    fn one_of(
        &self,
        entries: &[&Value],
        problem: impl FnOnce() -> String,
    ) -> Result<Descriptor, Error> {
        let digests: BTreeSet<_> = entries.iter().map(|entry| digest_of(entry)).collect();
        match entries.first() {
            Some(entry) if digests.len() == 1 => self.descriptor(entry),
            _ => Err(Error::Ambiguous {
                directory: self.place.clone(),
                count: digests.len(),
                problem: problem(),
                choices: choices(entries),
            }),
        }
    }

    fn descriptor(&self, entry: &Value) -> Result<Descriptor, Error> {
        serde_json::from_value(entry.clone()).map_err(Error::json(self.what.as_str()))
    }

    /// Lists `descriptor` under `tag`. A manifest that had the tag before stays listed without it, so that it is still
    /// found by its digest. Returns whether the index has changed.
    pub(super) fn set(&mut self, descriptor: &Descriptor, tag: &str) -> bool {
        let entries = &mut self.entries;
        let mut changed = false;
        let digest = descriptor.digest.to_string();
        for entry in entries.iter_mut() {
            if tag_of(entry) == Some(tag) && !is_of(entry, &digest) {
                remove_tag(entry);
                changed = true;
            }
        }
        let is_listed = |entry: &Value| is_of(entry, &digest) && tag_of(entry) == Some(tag);
        if entries.iter().any(is_listed) {
            return changed;
        }
        let mut untagged = entries
            .iter_mut()
            .filter(|entry| is_of(entry, &digest) && tag_of(entry).is_none());
        if untagged.next().is_some_and(|entry| add_tag(entry, tag)) {
            return true;
        }
        entries.push(json!({
            "mediaType": descriptor.media_type,
            "digest": digest,
            "size": descriptor.size,
            "annotations": { TAG: tag },
        }));
        true
    }

    /// Lists `descriptor`, a list of the referrers of `subject`, under `tag`. The list that had the tag before is
    /// removed from the index. Returns whether the index has changed.
    pub(super) fn replace(&mut self, descriptor: &Descriptor, tag: &str, subject: &Digest) -> bool {
        let kept = [descriptor.digest.to_string(), subject.to_string()];
        let before = self.entries.len();
        self.entries.retain(|entry| {
            tag_of(entry) != Some(tag) || kept.iter().any(|digest| is_of(entry, digest))
        });
        let changed = self.entries.len() < before;
        self.set(descriptor, tag) || changed
    }

    /// Returns the digests of the listed manifests, without lists of referrers.
    pub(crate) fn digests(&self) -> Vec<Digest> {
        let entries = self.entries.iter();
        let entries = entries.filter(|entry| !tag_of(entry).is_some_and(is_of_digest));
        entries
            .filter_map(|entry| digest_of(entry)?.parse().ok())
            .collect()
    }

    /// Lists `descriptor` without a name, unless it is listed. Returns whether the index has changed.
    pub(super) fn add(&mut self, descriptor: &Descriptor) -> bool {
        let digest = descriptor.digest.to_string();
        let is_new = !self.entries.iter().any(|entry| is_of(entry, &digest));
        if is_new {
            self.entries.push(json!({
                "mediaType": descriptor.media_type,
                "digest": digest,
                "size": descriptor.size,
            }));
        }
        is_new
    }

    /// Removes the name `tag` from the manifest that it names. The manifest stays listed. Returns whether the index has
    /// changed.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when it is the name of several manifests.
    pub(super) fn unset(&mut self, tag: &str) -> Result<bool, Error> {
        let Some(manifest) = self.find_name(tag)? else {
            return Ok(false);
        };
        let digest = manifest.digest.to_string();
        let mut changed = false;
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| is_of(entry, &digest))
        {
            changed |= remove_name(entry, tag);
        }
        Ok(changed)
    }
}

/// Gives an entry a tag. Returns `false` for a malformed entry, and does not change it.
fn add_tag(entry: &mut Value, tag: &str) -> bool {
    let annotations = entry.as_object_mut().and_then(|entry| {
        let annotations = entry.entry("annotations").or_insert(Value::Null);
        if annotations.is_null() {
            *annotations = json!({});
        }
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
