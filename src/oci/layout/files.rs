//! Reading and writing the small files of a layout.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::content::{AtomicFile, directory_of, is_too_large, read_file_bounded};

use super::super::error::Error;
use super::super::manifest::MANIFEST_LIMIT;

pub(in crate::oci) use super::super::reference::MARKER;
/// The file that lists the manifests of a layout.
pub(in crate::oci) const INDEX: &str = "index.json";
/// The directory with the blobs of a layout.
pub(in crate::oci) const BLOBS: &str = "blobs";

/// The content of the marker.
pub(in crate::oci) const MARKER_BODY: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// The byte order mark that some editors and shells of Windows put before JSON.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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

/// Reads a file as [`read`] does, without a byte order mark. Returns `None` when the file does not exist.
pub(super) fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match read(path) {
        Ok(bytes) => Ok(Some(without_mark(bytes))),
        Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes the byte order mark in front of `bytes`.
pub(in crate::oci) fn without_mark(bytes: Vec<u8>) -> Vec<u8> {
    match bytes.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => text.to_vec(),
        None => bytes,
    }
}

/// Replaces the file at `path` in one step.
pub(in crate::oci) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut file = AtomicFile::create(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    write().map(drop).map_err(Error::file(path))
}

/// Creates the marker of a layout, unless it exists. The marker is never replaced, because processes that change the
/// index lock it.
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

/// Writes the blob at `path` in one step, unless the file has these bytes already.
pub(super) fn create_blob(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if read_if_present(path)?.as_deref() == Some(bytes) {
        return Ok(());
    }
    fs::create_dir_all(directory_of(path)).map_err(Error::file(path))?;
    replace(path, bytes)
}
