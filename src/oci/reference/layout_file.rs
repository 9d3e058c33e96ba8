//! References to image layouts in files: where the file ends and the name begins.

use super::error::ParseReferenceError;
use super::grammar::is_layout_name;
use super::split::split_digest;
use super::types::{FILE_EXTENSION, LayoutForm, LayoutReference};

/// What the digests that a reference may have begin with.
const ALGORITHMS: [&str; 2] = ["sha256", "sha512"];

/// Parses `rest`, the text after the scheme. Does not look at the file system.
pub(super) fn parse_layout_file(
    text: &str,
    rest: &str,
) -> Result<LayoutReference, ParseReferenceError> {
    let (path, name, digest) = split(rest);
    let (_, digest) = split_digest(text, digest)?;
    if path.is_empty() {
        let reference = text.to_owned();
        return Err(ParseReferenceError::FileMissing { reference });
    }
    if let Some(name) = name.filter(|name| !is_layout_name(name)) {
        return Err(ParseReferenceError::tag(text, name));
    }
    // Of `a:b:NAME`, the file `a:b` would become `a` with the name `b` when the name is left out.
    let ends = ["", ":0", "@sha256:0"].map(|names| format!("{path}{names}"));
    if ends.iter().any(|other| split(other).0 != path) {
        let reference = text.to_owned();
        return Err(ParseReferenceError::FileEnd { reference });
    }
    Ok(LayoutReference {
        form: LayoutForm::File,
        path: path.to_owned(),
        tag: name.map(str::to_owned),
        digest,
    })
}

/// Splits a text into the file, the name, and the digest with its at sign.
fn split(rest: &str) -> (&str, Option<&str>, &str) {
    if let Some((path, names)) = split_after_extension(rest) {
        let at = names.find('@').unwrap_or(names.len());
        let (name, digest) = names.split_at(at);
        return (path, name.strip_prefix(':'), digest);
    }
    let at = rest.rfind('@').filter(|at| begins_digest(rest, *at));
    let (named, digest) = rest.split_at(at.unwrap_or(rest.len()));
    let (path, name) = split_at_last_colon(named);
    (path, name, digest)
}

/// Splits `FILE.tar[:NAME][@DIGEST]` behind the extension: at the first `.tar:`, or at the `.tar@` that no other `.tar`
/// follows. Returns `None` when neither is there: the text has no name, or the file has another extension.
fn split_after_extension(rest: &str) -> Option<(&str, &str)> {
    let ends = rest.match_indices(FILE_EXTENSION);
    let mut splits = ends.filter_map(|(at, _)| rest.split_at_checked(at + FILE_EXTENSION.len()));
    splits.find(|(_, after)| {
        after.starts_with(':') || (after.starts_with('@') && !after.contains(FILE_EXTENSION))
    })
}

/// Splits `FILE[:TAG]` of a file with another extension. A whole reference has slashes and colons, so such a file cannot
/// have one as the name.
fn split_at_last_colon(named: &str) -> (&str, Option<&str>) {
    match named.rsplit_once(':') {
        Some((path, tag))
            if !named.ends_with(FILE_EXTENSION) && is_layout_name(tag) && !tag.contains('/') =>
        {
            (path, Some(tag))
        }
        _ => (named, None),
    }
}

/// Whether what follows the at sign at `at` must be a digest, and not a part of the file's name.
fn begins_digest(rest: &str, at: usize) -> bool {
    let after = rest.get(at + 1..).unwrap_or_default();
    ALGORITHMS.iter().any(|name| after.starts_with(name))
}
