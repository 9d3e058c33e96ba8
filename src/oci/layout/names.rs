//! The names of the manifests of a layout, and which manifest a name stands for.
//!
//! Tools disagree about the annotation with the name. Most write a tag (`1.0`), Skopeo and Buildah write what the
//! user gives, often a whole reference (`ghcr.io/org/provider:1.0`), and many write none. containerd adds the whole
//! reference in an annotation of its own.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::content::{Descriptor, Digest};

use super::super::error::Error;
use super::super::one_line::one_line;
use super::super::reference::{is_layout_name, tag_in};
use super::index::Index;

/// The annotation with the name of a manifest (OCI image specification, "Pre-Defined Annotation Keys").
pub(super) const TAG: &str = "org.opencontainers.image.ref.name";
/// The annotation in which containerd writes the whole reference.
const CONTAINERD: &str = "io.containerd.image.name";
/// How many choices an error lists.
const CHOICES: usize = 10;

/// Returns the name of an entry.
pub(super) fn tag_of(entry: &Value) -> Option<&str> {
    annotation(entry, TAG)
}

fn annotation<'e>(entry: &'e Value, name: &str) -> Option<&'e str> {
    entry.get("annotations")?.get(name)?.as_str()
}

pub(super) fn is_of(entry: &Value, digest: &str) -> bool {
    digest_of(entry) == Some(digest)
}

fn digest_of(entry: &Value) -> Option<&str> {
    entry.get("digest").and_then(Value::as_str)
}

impl Index {
    /// Returns every name that can be part of a reference, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.entries().filter_map(tag_of);
        let names: BTreeSet<&str> = names.filter(|name| is_layout_name(name)).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Returns the manifest that `name` stands for: the name itself, or the reference of containerd, or else the
    /// tag at the end of a whole reference.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when it stands for several manifests.
    pub(super) fn find_name(&self, name: &str) -> Result<Option<Descriptor>, Error> {
        let fits: [fn(&Value, &str) -> bool; 3] = [
            |entry, name| tag_of(entry) == Some(name),
            |entry, name| annotation(entry, CONTAINERD) == Some(name),
            |entry, name| {
                let whole = [TAG, CONTAINERD].map(|annotated| annotation(entry, annotated));
                let mut whole = whole.into_iter().flatten();
                whole.any(|whole| tag_in(whole) == Some(name))
            },
        ];
        for fits in fits {
            let fitting = self.entries().filter(|entry| fits(entry, name));
            let fitting: Vec<&Value> = fitting.collect();
            if !fitting.is_empty() {
                let problem = || format!("under the name `{}`", one_line(name));
                return self.one_of(&fitting, problem).map(Some);
            }
        }
        Ok(None)
    }

    pub(super) fn find_digest(&self, digest: &Digest) -> Result<Option<Descriptor>, Error> {
        let digest = digest.to_string();
        let entry = self.entries().find(|entry| is_of(entry, &digest));
        entry.map(|entry| self.descriptor(entry)).transpose()
    }

    /// Returns the only manifest of the layout.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when there are several, and [`Error::NotInLayout`] when there is none.
    pub(super) fn only(&self) -> Result<Descriptor, Error> {
        let entries: Vec<&Value> = self.entries().collect();
        if entries.is_empty() {
            return Err(Error::NotInLayout {
                directory: self.directory.clone(),
                what: "manifest of an archive: it lists none".to_owned(),
            });
        }
        self.one_of(&entries, || "and no name is given".to_owned())
    }

    /// Returns the names of the layout for an error about one that it does not have.
    pub(super) fn known_names(&self) -> String {
        let names = self.names();
        let shown = names.iter().take(CHOICES).cloned().collect::<Vec<_>>();
        match names.len() {
            0 => "it has no names".to_owned(),
            count if count > CHOICES => format!("it has {} and more", shown.join(", ")),
            _ => format!("it has {}", shown.join(", ")),
        }
    }

    /// Returns the manifest of `entries`, which must all name the same one.
    fn one_of(
        &self,
        entries: &[&Value],
        problem: impl FnOnce() -> String,
    ) -> Result<Descriptor, Error> {
        let digests: BTreeSet<Option<&str>> =
            entries.iter().map(|entry| digest_of(entry)).collect();
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
}

/// Lists entries by digest, with their names and platforms.
fn choices(entries: &[&Value]) -> String {
    let platform = |entry: &Value, field: &str| {
        let platform = entry.get("platform")?.get(field)?.as_str();
        platform.map(str::to_owned)
    };
    let describe = |entry: &&Value| {
        let mut about = vec![tag_of(entry).unwrap_or("no name").to_owned()];
        if let (Some(os), Some(architecture)) =
            (platform(entry, "os"), platform(entry, "architecture"))
        {
            about.push(format!("{os}/{architecture}"));
        }
        let digest = digest_of(entry).unwrap_or("no digest");
        one_line(&format!("{digest} ({})", about.join(", ")))
    };
    let mut choices: Vec<_> = entries.iter().take(CHOICES).map(describe).collect();
    if entries.len() > CHOICES {
        choices.push("and more".to_owned());
    }
    choices.join(", ")
}
