//! The answer of commands that print a reference by digest.

use crate::cli::output::Answer;
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
