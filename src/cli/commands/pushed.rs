//! The answer of commands that put a manifest into a registry or a layout.

use crate::cli::output::Answer;
use crate::content::Digest;
use crate::oci::Reference;

/// Returns the answer of a command that has pushed a manifest.
pub(crate) fn pushed_manifest(reference: &Reference, digest: &Digest) -> Answer {
    let pinned = reference.pinned(digest);
    let answer = Answer::new(pinned.clone())
        .field("url", reference.to_string())
        .field("reference", pinned)
        .field("digest", digest.to_string());
    match reference.tag() {
        Some(tag) => answer.field("tag", tag),
        None => answer,
    }
}
