//! The names of the manifests of a layout, and finding a manifest by its name.
//!
//! Tools write different values into the annotation with the name. Most write a tag (`1.0`). Skopeo and Buildah write
//! the name that the user gives, often a whole reference (`ghcr.io/org/provider:1.0`). Many tools write no name.
//! containerd adds the whole reference in its own annotation.

use serde_json::Value;

use super::super::one_line::one_line;
use super::super::reference::tag_in;

/// The annotation with the name of a manifest (OCI image specification, "Pre-Defined Annotation Keys").
pub(super) const TAG: &str = "org.opencontainers.image.ref.name";
/// The annotation in which containerd writes the whole reference.
const CONTAINERD: &str = "io.containerd.image.name";
/// The most choices that an error lists.
pub(super) const CHOICES: usize = 10;

/// Returns the name of an entry.
pub(super) fn tag_of(entry: &Value) -> Option<&str> {
    annotation(entry, TAG)
}

/// Returns the name of an entry: a tag or a whole reference, without the digest at the end of a reference.
pub(super) fn name_of(entry: &Value) -> Option<&str> {
    tag_of(entry)
        .or_else(|| annotation(entry, CONTAINERD))
        .map(without_digest)
}

fn without_digest(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

fn annotation<'e>(entry: &'e Value, name: &str) -> Option<&'e str> {
    entry.get("annotations")?.get(name)?.as_str()
}

pub(super) fn is_of(entry: &Value, digest: &str) -> bool {
    digest_of(entry) == Some(digest)
}

pub(super) fn digest_of(entry: &Value) -> Option<&str> {
    entry.get("digest").and_then(Value::as_str)
}

/// Returns the entries that `name` names. These are the entries with this name, or else with this reference of
/// containerd, or else with this tag at the end of a whole reference. A digest at the end of a reference is ignored.
pub(super) fn fitting<'e>(entries: &[&'e Value], name: &str) -> Vec<&'e Value> {
    let fits: [fn(&Value, &str) -> bool; 4] = [
        |entry, name| tag_of(entry) == Some(name),
        |entry, name| annotation(entry, CONTAINERD) == Some(name),
        |entry, name| name_of(entry) == Some(name),
        |entry, name| {
            let whole = [TAG, CONTAINERD].map(|annotated| annotation(entry, annotated));
            let mut whole = whole.into_iter().flatten();
            whole.any(|whole| tag_in(without_digest(whole)) == Some(name))
        },
    ];
    let found = fits.into_iter().map(|fits| {
        let fitting = entries.iter().filter(|entry| fits(entry, name));
        fitting.copied().collect::<Vec<_>>()
    });
    let mut found = found.filter(|fitting| !fitting.is_empty());
    found.next().unwrap_or_default()
}

/// Removes the annotations with which `name` names an entry. Returns whether there were any.
pub(super) fn remove_name(entry: &mut Value, name: &str) -> bool {
    let Some(entry) = entry.as_object_mut() else {
        return false;
    };
    let Some(Value::Object(annotations)) = entry.get_mut("annotations") else {
        return false;
    };
    let before = annotations.len();
    annotations.retain(|key, value| {
        let whole = value.as_str().unwrap_or_default();
        let bare = without_digest(whole);
        let stands = whole == name || bare == name || tag_in(bare) == Some(name);
        !(stands && [TAG, CONTAINERD].contains(&key.as_str()))
    });
    let removed = annotations.len() < before;
    if annotations.is_empty() {
        entry.remove("annotations");
    }
    removed
}

/// Returns a text with the digests, names and platforms of entries.
pub(super) fn choices(entries: &[&Value]) -> String {
    let platform = |entry: &Value, field: &str| {
        let platform = entry.get("platform")?.get(field)?.as_str();
        platform.map(str::to_owned)
    };
    let describe = |entry: &&Value| {
        let mut about = vec![name_of(entry).unwrap_or("no name").to_owned()];
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
