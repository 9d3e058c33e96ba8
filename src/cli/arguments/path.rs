//! Arguments that are paths, or that may be.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// An argument as the user wrote it: a path need not be UTF-8.
pub(crate) type Argument = OsString;

/// Returns the path in an argument that can only be a path. It may begin with `file://`.
pub(crate) fn archive_path(argument: &OsStr) -> PathBuf {
    match argument
        .to_str()
        .and_then(|text| text.strip_prefix("file://"))
    {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(argument),
    }
}

/// Returns the path in an argument that has the form of a path, whether or not the file exists.
pub(super) fn explicit_path(argument: &OsStr) -> Option<PathBuf> {
    let text = argument.to_string_lossy();
    if text.starts_with("file://") {
        return Some(archive_path(argument));
    }
    if text.contains("://") {
        return None;
    }
    let explicit = Path::new(argument).is_absolute()
        || ["./", "../", ".\\", "..\\"]
            .iter()
            .any(|prefix| text.starts_with(prefix));
    let named = [".par", ".par.gz"]
        .iter()
        .any(|suffix| text.ends_with(suffix));
    (explicit || named).then(|| PathBuf::from(argument))
}

/// Returns the name of an archive's file without its extensions.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name
        .strip_suffix(".par.gz")
        .or_else(|| name.strip_suffix(".par"))
        .map(str::to_owned)
        .or_else(|| Some(path.file_stem()?.to_string_lossy().into_owned()));
    stem.filter(|stem| !stem.is_empty())
        .unwrap_or_else(|| "provider".to_owned())
}

/// Whether two paths name the same existing file.
pub(super) fn is_one_file(one: &Path, other: &Path) -> bool {
    let other = other.canonicalize();
    one.canonicalize()
        .is_ok_and(|one| other.is_ok_and(|other| one == other))
}

#[cfg(test)]
#[path = "tests/path.rs"]
mod tests;
