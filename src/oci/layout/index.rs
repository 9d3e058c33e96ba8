//! The `index.json` of a layout: the manifests that it holds, and their names.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::content::{Descriptor, Digest, Locking, locked_when_free};

use super::super::error::Error;
use super::super::index_text::with_entries;
use super::super::media_type;
use super::super::one_line::one_line;
use super::super::reference::is_layout_name;
use super::super::referrers::{is_of_digest, referrers_tag};
use super::files::{INDEX, MARKER, read_if_present, replace};
use super::names::{
    CHOICES, TAG, choices, digest_of, fitting, is_of, name_of, remove_name, tag_of,
};

/// The index of a layout.
pub(super) struct Index {
    directory: PathBuf,
    /// The index as it is written, with the parts of it that only other tools understand.
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
        let what = || format!("file {}", path.display());
        let empty =
            json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []});
        let text = read_if_present(&path)?.unwrap_or_else(|| empty.to_string().into_bytes());
        let text =
            String::from_utf8(text).map_err(|_| Error::malformed(what(), "it is not UTF-8"))?;
        let document: Document = serde_json::from_str(&text).map_err(Error::json(what()))?;
        Ok(Self {
            directory: directory.to_owned(),
            text,
            entries: document.manifests.unwrap_or_default(),
        })
    }

    fn path(&self) -> PathBuf {
        self.directory.join(INDEX)
    }

    /// Returns every name that a manifest can be found by, sorted: tags, and the whole references of other tools.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.entries.iter().filter_map(name_of);
        let names: BTreeSet<&str> = names.filter(|name| is_layout_name(name)).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Returns every manifest that has a name, with that name, sorted by names.
    pub(super) fn named(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        let names = self.names().into_iter();
        let named = names.map(|name| Ok(self.find_name(&name)?.map(|found| (name, found))));
        named.filter_map(Result::transpose).collect()
    }

    /// Returns the names of the layout for an error about one that it does not have.
    pub(super) fn known_names(&self) -> String {
        let mut names = self.names();
        if names.is_empty() {
            return "it has no names".to_owned();
        }
        if names.len() > CHOICES {
            names.truncate(CHOICES);
            names.push("more".to_owned());
        }
        format!("it has {}", names.join(", "))
    }

    /// Returns the manifest that `name` stands for.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when it stands for several manifests.
    pub(super) fn find_name(&self, name: &str) -> Result<Option<Descriptor>, Error> {
        let entries: Vec<&Value> = self.entries.iter().collect();
        let fitting = fitting(&entries, name);
        if fitting.is_empty() {
            return Ok(None);
        }
        let problem = || format!("under the name `{}`", one_line(name));
        self.one_of(&fitting, problem).map(Some)
    }

    pub(super) fn find_digest(&self, digest: &Digest) -> Result<Option<Descriptor>, Error> {
        let digest = digest.to_string();
        let entry = self.entries.iter().find(|entry| is_of(entry, &digest));
        entry.map(|entry| self.descriptor(entry)).transpose()
    }

    /// Returns the only manifest of the layout besides those that belong to another one: what has the tag of a digest, and
    /// those without a name that `is_referrer`.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when the layout has several, and [`Error::NotInLayout`] when it is empty.
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
            return Err(Error::NotInLayout {
                directory: self.directory.clone(),
                what: "manifest of an archive: it lists none".to_owned(),
            });
        }
        self.one_of(&entries, || "and no name is given".to_owned())
    }

    /// Returns the manifest of `entries`, which must all name the same one.
    fn one_of(
        &self,
        entries: &[&Value],
        problem: impl FnOnce() -> String,
    ) -> Result<Descriptor, Error> {
        let digests: BTreeSet<_> = entries.iter().map(|entry| digest_of(entry)).collect();
        match entries.first() {
            Some(entry) if digests.len() == 1 => self.descriptor(entry),
            _ => Err(Error::Ambiguous {
                directory: self.directory.clone(),
                count: digests.len(),
                problem: problem(),
                choices: choices(entries),
            }),
        }
    }

    fn descriptor(&self, entry: &Value) -> Result<Descriptor, Error> {
        let what = format!("file {}", self.path().display());
        serde_json::from_value(entry.clone()).map_err(Error::json(what))
    }

    /// Lists `descriptor` under `tag`. A manifest that loses the tag stays listed, so that it is still found by
    /// its digest. Returns whether the index has changed.
    fn set(&mut self, descriptor: &Descriptor, tag: &str) -> bool {
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

    /// Lists `descriptor`, a list of the referrers of `subject`, under `tag`. The list that has the tag is no longer listed.
    /// Returns whether the index has changed.
    fn replace(&mut self, descriptor: &Descriptor, tag: &str, subject: &Digest) -> bool {
        let kept = [descriptor.digest.to_string(), subject.to_string()];
        let before = self.entries.len();
        self.entries.retain(|entry| {
            tag_of(entry) != Some(tag) || kept.iter().any(|digest| is_of(entry, digest))
        });
        let changed = self.entries.len() < before;
        self.set(descriptor, tag) || changed
    }

    /// Returns the digests of the manifests that are listed, without those of lists of referrers.
    pub(super) fn digests(&self) -> Vec<Digest> {
        let entries = self.entries.iter();
        let entries = entries.filter(|entry| !tag_of(entry).is_some_and(is_of_digest));
        entries
            .filter_map(|entry| digest_of(entry)?.parse().ok())
            .collect()
    }

    /// Lists `descriptor`, with no name unless it has one. Returns whether the index has changed.
    fn add(&mut self, descriptor: &Descriptor) -> bool {
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

    /// Takes the name `tag` from the manifest that it stands for, which stays listed. Returns whether the index has
    /// changed.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when it stands for several manifests.
    fn unset(&mut self, tag: &str) -> Result<bool, Error> {
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

/// Gives an entry a tag. Returns `false` for a malformed entry, which stays as it is.
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

/// Lists `descriptor` under `tag` in the index of the layout in `directory`. Blocks while another process
/// changes the index.
pub(super) fn update(directory: &Path, descriptor: &Descriptor, tag: &str) -> Result<(), Error> {
    change(directory, |index| Ok(index.set(descriptor, tag)))
}

/// Lists `descriptor` without a name in the index of the layout in `directory`, unless it is listed. Blocks while another
/// process changes the index.
pub(super) fn add(directory: &Path, descriptor: &Descriptor) -> Result<(), Error> {
    change(directory, |index| Ok(index.add(descriptor)))
}

/// Takes the name `tag` from the manifest that it stands for in the index of the layout in `directory`. Blocks while
/// another process changes the index.
pub(super) fn untag(directory: &Path, tag: &str) -> Result<(), Error> {
    change(directory, |index| index.unset(tag))
}

/// Lists what `edit` returns as the list of the referrers of `subject` in the index of the layout in `directory`. `edit` gets
/// what has the tag of the list. Blocks while another process changes the index.
pub(super) fn replace_list(
    directory: &Path,
    subject: &Digest,
    edit: impl FnOnce(Option<Descriptor>) -> Result<Option<Descriptor>, Error>,
) -> Result<(), Error> {
    change(directory, |index| {
        let tag = referrers_tag(subject);
        let before = index.find_name(&tag)?;
        Ok(match edit(before)? {
            Some(after) => index.replace(&after, &tag, subject),
            None => false,
        })
    })
}

/// Changes the index of the layout in `directory` if `edit` returns `true`. Blocks while another process changes it.
fn change(
    directory: &Path,
    edit: impl FnOnce(&mut Index) -> Result<bool, Error>,
) -> Result<(), Error> {
    // The marker always exists and is never replaced. A lock file would be foreign to the format.
    let marker = directory.join(MARKER);
    let lock = open_marker(&marker).map_err(Error::file(&marker))?;
    // Closing the file at the end of this function releases the lock.
    match locked_when_free(&lock, &marker).map_err(Error::file(&marker))? {
        Locking::Locked | Locking::Unsupported => {}
        Locking::Busy => return Err(Error::file(&marker)(io::ErrorKind::WouldBlock.into())),
    }
    let mut index = Index::read(directory)?;
    let before = index.entries.clone();
    if !edit(&mut index)? {
        return Ok(());
    }
    let path = index.path();
    let what = format!("file {}", path.display());
    let text = with_entries(&index.text, &before, &index.entries).map_err(Error::json(what))?;
    replace(&path, text.as_bytes())
}

/// Opens the marker for writing: NFS locks no file exclusively that is open for reading only. A marker that
/// another tool has made read-only is opened for reading.
fn open_marker(marker: &Path) -> io::Result<File> {
    let open = File::options().read(true).write(true).open(marker);
    match open {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(marker),
        opened => opened,
    }
}
