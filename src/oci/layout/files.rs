//! The small files of a layout, and how they are read and written.

use std::io::{self, Write};
use std::path::Path;

use crate::content::{AtomicFile, is_too_large, read_file_bounded};

use super::super::error::Error;
use super::super::manifest::MANIFEST_LIMIT;

/// The file that makes a directory a layout.
pub(super) const MARKER: &str = "oci-layout";
/// The file that lists the manifests of a layout.
pub(super) const INDEX: &str = "index.json";
/// The directory with the blobs of a layout.
pub(super) const BLOBS: &str = "blobs";

const MARKER_BODY: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// Reads a file of at most [`MANIFEST_LIMIT`] bytes.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_file_bounded(path, MANIFEST_LIMIT).map_err(|source| {
        if is_too_large(&source) {
            Error::too_large(format!("file {}", path.display()), MANIFEST_LIMIT)
        } else {
            Error::file(path)(source)
        }
    })
}

/// Reads a file as [`read`] does. Returns `None` when there is no such file.
pub(super) fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces the file at `path` in one step.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut file = AtomicFile::create(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    write().map(drop).map_err(Error::file(path))
}

/// Creates the marker of a layout, unless another process already has. The marker is never replaced,
/// because processes that change the index lock it.
pub(super) fn create_marker(directory: &Path) -> Result<(), Error> {
    let path = directory.join(MARKER);
    let write = || {
        let mut file = AtomicFile::create(&path)?;
        file.write_all(MARKER_BODY.as_bytes())?;
        file.commit_new()
    };
    match write() {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::file(&path)(error))
        }
        _ => Ok(()),
    }
}
