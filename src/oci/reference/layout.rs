//! Parsing references to image layouts in directories: where the directory ends and the name begins.

use std::path::{Path, is_separator};

use super::error::ParseReferenceError;
use super::grammar::is_layout_name;
use super::split::split_digest;
use super::types::{LayoutForm, LayoutReference};

/// The file that marks a directory as a layout.
pub(in crate::oci) const MARKER: &str = "oci-layout";

/// Parses `rest`, the text after the scheme.
pub(super) fn parse_layout(text: &str, rest: &str) -> Result<LayoutReference, ParseReferenceError> {
    // The path of a directory may have at signs, but not in its last segment.
    let last = last_segment(rest);
    let parents = rest.strip_suffix(last).unwrap_or_default();
    let (last, digest) = split_digest(text, last)?;
    let named = format!("{parents}{last}");
    let (directory, name) = split(&named);
    if directory.is_empty() {
        let reference = text.to_owned();
        return Err(ParseReferenceError::DirectoryMissing { reference });
    }
    // In `a:b:NAME`, the directory `a:b` does not exist. Without `:NAME`, the text would mean the directory `a` and the
    // name `b`. So it is an error.
    if let Some((_, tag)) = last_segment(directory).split_once(':')
        && !is_layout(directory)
        && !Path::new(directory).is_dir()
    {
        let tag = name.map_or(tag.to_owned(), |name| format!("{tag}:{name}"));
        return Err(ParseReferenceError::tag(text, &tag));
    }
    Ok(LayoutReference {
        form: LayoutForm::Directory,
        path: directory.to_owned(),
        tag: name.map(str::to_owned),
        digest,
    })
}

/// Splits `DIR[:NAME]` by the rules in the documentation of [`LayoutReference`]. Reads the file system, because both a
/// directory and a name may have colons.
fn split(text: &str) -> (&str, Option<&str>) {
    let colons = text.match_indices(':').map(|(position, _)| position);
    let splits = colons.filter_map(|position| {
        let (directory, name) = text.split_at_checked(position)?;
        let name = name.strip_prefix(':')?;
        (!is_drive(directory, name) && is_layout_name(name)).then_some((directory, name))
    });
    let splits: Vec<_> = splits.collect();
    let mut longest_first = splits.iter().rev();
    if let Some((directory, name)) = longest_first.find(|(directory, _)| is_layout(directory)) {
        return (directory, Some(name));
    }
    if is_layout(text) {
        return (text, None);
    }
    let ends = splits.iter().find(|(directory, name)| {
        let next = name.find(|letter| letter == ':' || is_separator(letter));
        let longer = next.and_then(|next| text.get(..directory.len() + 1 + next));
        !longer.is_some_and(|longer| Path::new(longer).is_dir())
    });
    ends.map_or((text, None), |(directory, name)| (directory, Some(name)))
}

fn last_segment(path: &str) -> &str {
    path.rsplit(is_separator).next().unwrap_or(path)
}

fn is_layout(directory: &str) -> bool {
    Path::new(directory).join(MARKER).is_file()
}

/// Whether the colon between two texts belongs to a drive letter of Windows.
fn is_drive(before: &str, after: &str) -> bool {
    cfg!(windows) && before.len() == 1 && after.starts_with(is_separator)
}
