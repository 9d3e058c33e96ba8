//! Parsing references to image layouts in files: where the file name ends and the name begins.

use super::error::ParseReferenceError;
use super::grammar::is_layout_name;
use super::split::split_digest;
use super::types::{FILE_EXTENSION, LayoutForm, LayoutReference};

/// The first letters of the digests that a reference may have.
const ALGORITHMS: [&str; 2] = ["sha256", "sha512"];

/// Parses `rest`, the text after the scheme. Does not read the file system.
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
    // In `a:b:NAME`, the file is `a:b`. Without `:NAME`, the text would mean the file `a` and the name `b`. So it is an
    // error.
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

/// Splits a text into the path, the name, and the digest with its at sign.
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

/// Splits `FILE.tar[:NAME][@DIGEST]` after the extension: at the first `.tar:`, or at a `.tar@` without another `.tar`
/// after it. Returns `None` when the text has neither, so that it has no name, or the file has another extension.
fn split_after_extension(rest: &str) -> Option<(&str, &str)> {
    let ends = rest.match_indices(FILE_EXTENSION);
    let mut splits = ends.filter_map(|(at, _)| rest.split_at_checked(at + FILE_EXTENSION.len()));
    splits.find(|(_, after)| {
        after.starts_with(':') || (after.starts_with('@') && !after.contains(FILE_EXTENSION))
    })
}

/// Splits `FILE[:TAG]` for a file with another extension. The name for such a file must be a tag, because a whole
/// reference has slashes and colons, like a path.
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

/// Whether the text after the at sign at `at` must be a digest, and not a part of the file name.
fn begins_digest(rest: &str, at: usize) -> bool {
    let after = rest.get(at + 1..).unwrap_or_default();
    ALGORITHMS.iter().any(|name| after.starts_with(name))
}
