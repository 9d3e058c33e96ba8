//! The answer of commands that print a reference by digest.

use anyhow::Error;
use serde_json::{Value, json};

use crate::cli::output::{Answer, Failure};
use crate::cli::session::Session;
use crate::client::{self, TagChange};
use crate::content::Digest;
use crate::oci::Reference;

/// Returns an answer with the reference of a manifest by its digest.
pub(crate) fn pinned(reference: &Reference, digest: &Digest) -> Answer {
    let pinned = reference.pinned(digest);
    Answer::lines([&pinned])
        .field("reference", pinned)
        .field("digest", digest.to_string())
}

/// Returns the answer of a command that has pushed a manifest.
pub(crate) fn pushed(reference: &Reference, digest: &Digest) -> Answer {
    let answer = pinned(reference, digest).field("url", reference.to_string());
    match reference.tag() {
        Some(tag) => answer.field("tag", tag),
        None => answer,
    }
}

/// Reports each tag that named another manifest than `digest` before.
pub(crate) fn tell_moved(session: &Session, tags: &[TagChange], digest: &Digest) {
    for TagChange { tag, before, .. } in tags {
        if let Some(before) = before.as_ref().filter(|before| *before != digest) {
            session.note(&format!("{tag}: {before} -> {digest}"));
        }
    }
}

/// Returns the tags for a JSON answer, each with the digest that it named before.
pub(crate) fn tags(tags: &[TagChange]) -> Value {
    let tags = tags.iter().map(|TagChange { tag, before, .. }| {
        let before = before.as_ref().map(ToString::to_string);
        json!({ "tag": tag, "before": before })
    });
    tags.collect()
}

/// Adds a hint to the error of pushed content whose digest is not the one that the destination names.
pub(crate) fn explain(error: client::Error) -> Error {
    let kind = error.kind();
    match error {
        client::Error::OtherDigest { .. } => {
            let message = "the destination has the digest of other content";
            let hint = "leave out the digest in the destination, or name the content that has it";
            Error::new(error).context(Failure::new(kind, message).hint(hint))
        }
        error => error.into(),
    }
}
