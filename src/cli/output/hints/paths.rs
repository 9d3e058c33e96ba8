//! Hints about paths in the place of references, and about references in the place of paths.

use std::path::Path;

use crate::oci::{LayoutForm, Reference};

/// The extension of a tar, which may have an image layout.
const TAR: &str = ".tar";
/// The extensions of archives, which are never read as image layouts.
const ARCHIVES: [&str; 2] = [".par", ".par.gz"];

/// Returns what to write in place of `text`, which is not a reference, if it is probably the path of an image layout: the
/// name of a tar, an existing directory, or a text that begins as paths do.
pub(crate) fn layout_hint(text: &str) -> Option<String> {
    if text.contains("://") || ARCHIVES.iter().any(|extension| text.ends_with(extension)) {
        return None;
    }
    // The name of a manifest may follow the path.
    let (path, end) = match text.rsplit_once(':') {
        Some((path, name)) if !name.contains('/') => (path, ""),
        _ => (text, "[:TAG]"),
    };
    let layout = |form: LayoutForm| format!("{}{text}{end}", form.scheme());
    let (directory, file) = (layout(LayoutForm::Directory), layout(LayoutForm::File));
    if [text, path].iter().any(|path| Path::new(path).is_dir()) {
        Some(format!(
            "write {directory} for an image layout in a directory"
        ))
    } else if path.ends_with(TAR) {
        Some(format!("write {file} for an image layout in a file"))
    } else if text.starts_with(['.', '/']) || Path::new(text).is_absolute() {
        Some(format!(
            "write {directory} for an image layout in a directory, or {file} for one in a file"
        ))
    } else {
        None
    }
}

/// Whether the path of a file has the form of a reference to one artifact, or to an image layout.
pub(crate) fn is_reference(path: &Path) -> bool {
    match path.to_str().map(str::parse::<Reference>) {
        Some(Ok(Reference::Registry(place))) => place.tag().is_some() || place.digest().is_some(),
        Some(Ok(Reference::Layout(_))) => true,
        _ => false,
    }
}

#[cfg(test)]
#[path = "tests/paths.rs"]
mod tests;
