//! Arguments that are paths, or that may be.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::Error;
use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::cli::output::Failure;
use crate::content::ErrorKind;
use crate::oci::ParseReferenceError;

/// An argument as the user wrote it: a path need not be UTF-8.
pub(crate) type Argument = OsString;

/// Returns the path in an argument that can only be a path. It may begin with `file://`.
pub(crate) fn archive_path(argument: &OsStr) -> PathBuf {
    let text = argument.to_str();
    let path = text.and_then(|text| text.strip_prefix("file://"));
    path.map_or_else(|| argument.into(), PathBuf::from)
}

/// Returns a parser for the path of an output file. It refuses `-`: users expect that `-` is standard output, and would
/// get a file of that name.
pub(crate) fn destination() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            Err("cannot write to standard output; write `./-` for a file of that name")
        } else {
            Ok(path)
        }
    })
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
    let prefixes = ["./", "../", ".\\", "..\\"];
    let explicit = Path::new(argument).is_absolute()
        || prefixes.iter().any(|prefix| text.starts_with(prefix))
        || text.ends_with(".par")
        || text.ends_with(".par.gz");
    explicit.then(|| PathBuf::from(argument))
}

/// Returns the error about an argument that is neither the name of an existing file nor a reference. `error` says why it is
/// not a reference.
pub(super) fn neither_file_nor_reference(written: &str, error: ParseReferenceError) -> Error {
    // Without a slash, the user probably meant a file.
    let kind = if written.contains('/') {
        ErrorKind::Usage
    } else {
        ErrorKind::NotFound
    };
    let message = format!("`{written}` is neither a file that exists nor a reference");
    Error::new(error).context(Failure::new(kind, message))
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
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
#[path = "tests/path.rs"]
mod tests;
