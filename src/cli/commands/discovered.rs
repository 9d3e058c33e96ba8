//! The attachments of a manifest, as a tree of lines and as JSON.

use bytesize::ByteSize;
use serde_json::{Map, Value, json};

use crate::cli::vouching;
use crate::client::sigstore::SigstoreIdentity;
use crate::client::{Discovered, DiscoveredManifest, Relation, Vouching};
use crate::content::{time_text, with_causes};

/// The longest type or name that is shown in full, in characters.
const LONGEST: usize = 120;

/// Returns a line for the manifest and a line for each manifest below it.
pub(super) fn lines(discovered: &Discovered) -> Vec<String> {
    let root = &discovered.root;
    let mut lines = vec![discovered.reference.pinned(&root.manifest.digest)];
    add(root, "", &mut lines);
    lines
}

/// Adds lines for the manifests below `manifest`. Each line begins with `indent`.
fn add(manifest: &DiscoveredManifest, indent: &str, lines: &mut Vec<String>) {
    let mut below = manifest.manifests.iter().peekable();
    while let Some(next) = below.next() {
        let (branch, deeper) = match below.peek() {
            Some(_) => ("├── ", "│   "),
            None => ("└── ", "    "),
        };
        lines.push(format!("{indent}{branch}{}", line(next)));
        add(next, &format!("{indent}{deeper}"), lines);
    }
}

fn line(found: &DiscoveredManifest) -> String {
    let mut parts = vec![found.manifest.digest.to_string()];
    if let Relation::Entry {
        platform: Some(platform),
    } = &found.relation
    {
        parts.push(short(platform));
    }
    parts.push(short(found.kind()));
    if !found.files.is_empty() {
        parts.push(ByteSize(found.size()).display().si().to_string());
    }
    parts.extend(created(found));
    match found.files.as_slice() {
        [file] => parts.extend(file.title.as_deref().map(short)),
        [] => {}
        files => parts.push(format!("{} files", files.len())),
    }
    if let Relation::Tag(tag) = &found.relation {
        parts.push(format!("(tag {tag})"));
    }
    parts.extend(found.vouching.as_ref().map(vouching_text));
    parts.join("  ")
}

fn vouching_text(vouching: &Vouching) -> String {
    match vouching {
        Vouching::By(SigstoreIdentity {
            issuer, subject, ..
        }) => format!("verified: {} ({})", short(subject), short(issuer)),
        Vouching::Refused(reason) => format!("not verified: {reason}"),
    }
}

/// Returns the time in the annotation, or `None` if it is absent or malformed.
fn created(found: &DiscoveredManifest) -> Option<String> {
    let time = humantime::parse_rfc3339(found.created()?).ok()?;
    Some(time_text(time))
}

/// Returns the beginning of a text, so that it fits into a line.
fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Returns a manifest and the manifests below it, for a JSON answer.
pub(super) fn manifest_json(found: &DiscoveredManifest) -> Map<String, Value> {
    let files = found.files.iter().map(|file| {
        json!({
            "digest": file.content.digest.to_string(),
            "media_type": file.content.media_type,
            "size": file.content.size,
            "title": file.title,
        })
    });
    let attached = found.manifests.iter().map(|below| {
        let mut manifest = manifest_json(below);
        let (relation, tag, platform) = match &below.relation {
            Relation::Tag(tag) => ("tag", Some(tag.as_str()), None),
            Relation::Entry { platform } => ("entry", None, platform.as_deref()),
            _ => ("referrer", None, None),
        };
        manifest.insert("relation".to_owned(), json!(relation));
        manifest.insert("tag".to_owned(), json!(tag));
        manifest.insert("platform".to_owned(), json!(platform));
        let (verified, identity, refusal) = match &below.vouching {
            Some(Vouching::By(identity)) => (Some(true), Some(identity), None),
            Some(Vouching::Refused(reason)) => (Some(false), None, Some(with_causes(reason))),
            _ => (None, None, None),
        };
        manifest.insert("verified".to_owned(), json!(verified));
        manifest.insert("identity".to_owned(), vouching::value(identity));
        manifest.insert("refusal".to_owned(), json!(refusal));
        Value::Object(manifest)
    });
    let fields = [
        ("digest", json!(found.manifest.digest.to_string())),
        ("media_type", json!(found.manifest.media_type)),
        ("artifact_type", json!(found.kind())),
        ("created", json!(created(found))),
        ("annotations", json!(found.annotations)),
        ("size", json!(found.size())),
        ("files", files.collect()),
        ("attached", attached.collect()),
    ];
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
#[path = "tests/discovered.rs"]
mod tests;
