//! A layout in a directory: opening and creating it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::content::{is_temporary, non_directory_at};

use super::super::error::Error;
use super::declared::Declared;
use super::files::{BLOBS, INDEX, MARKER, create_marker, read_if_present};

/// The prefix of the versions of layouts that can be read. Later versions with the same first number are compatible.
const VERSION: &str = "1.";

/// An OCI image layout: a directory with blobs and an index of tags.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(super) directory: PathBuf,
    /// The subjects and descriptions of the manifests that were read.
    pub(super) declared: Declared,
}

impl Layout {
    /// Opens the layout in `directory`, of version 1. Blocks for two small reads.
    pub(crate) fn open(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        let directory = directory.into();
        let not_a_layout = |reason| Error::NotALayout {
            directory: directory.clone(),
            reason,
        };
        if let Some(reason) = obstacle(&directory) {
            return Err(not_a_layout(reason));
        }
        let Some(text) = read_if_present(&directory.join(MARKER))? else {
            return Err(not_a_layout(if directory.exists() {
                "it has no `oci-layout` file"
            } else {
                "there is no such directory"
            }));
        };
        check_marker(&directory, &text)?;
        Ok(Self {
            directory,
            declared: Declared::default(),
        })
    }

    /// Opens the layout in `directory`, or creates one in a directory that is empty or does not exist.
    /// Blocks as [`open`](Self::open) does.
    pub(crate) fn open_or_create(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        let directory = directory.into();
        if let Some(reason) = obstacle(&directory) {
            return Err(Error::NewLayout { directory, reason });
        }
        if !directory.join(MARKER).exists() {
            let failed = |source| Error::File {
                path: directory.clone(),
                source,
            };
            fs::create_dir_all(&directory).map_err(failed)?;
            for entry in fs::read_dir(&directory).map_err(failed)? {
                let name = entry.map_err(failed)?.file_name();
                // Another process may be creating this layout at the same time.
                let is_of_a_layout = [MARKER, INDEX, BLOBS].iter().any(|known| name == *known);
                if !is_of_a_layout && !is_temporary(&name.to_string_lossy()) {
                    let reason = "it contains other files; give a new or an empty directory";
                    return Err(Error::NewLayout { directory, reason });
                }
            }
            fs::create_dir_all(directory.join(BLOBS)).map_err(failed)?;
            create_marker(&directory)?;
        }
        Self::open(directory)
    }

    pub(super) fn missing(&self, what: impl Into<String>) -> Error {
        Error::NotInLayout {
            directory: self.directory.clone(),
            what: what.into(),
        }
    }
}

/// Returns the reason why a path cannot be a directory: it, or a part of it, is a file.
fn obstacle(directory: &Path) -> Option<&'static str> {
    Some(match non_directory_at(directory)? {
        file if file == directory => "it is a file, not a directory",
        _ => "a directory above it is a file, not a directory",
    })
}

/// Checks the content of the marker of the layout at `place`, a directory or a file.
pub(in crate::oci) fn check_marker(place: &Path, text: &[u8]) -> Result<(), Error> {
    let malformed = |reason: &str| {
        let what = format!("file `{MARKER}` of the image layout {}", place.display());
        Error::malformed(what, reason)
    };
    let marker: Value = serde_json::from_slice(text).map_err(|_| malformed("it is not JSON"))?;
    let version = marker.get("imageLayoutVersion").and_then(Value::as_str);
    if !version.is_some_and(|version| version.starts_with(VERSION)) {
        return Err(malformed("its `imageLayoutVersion` is not 1.0.0"));
    }
    Ok(())
}
