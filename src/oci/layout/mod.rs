//! OCI image layouts: a registry's content in a folder, for sites without a network.
//!
//! ```text
//! oci-layout                    {"imageLayoutVersion": "1.0.0"}
//! index.json                    the manifests, with their tags as annotations
//! blobs/sha256/<hex>            manifests, configs and layers, by digest
//! ```
//!
//! The format is that of the OCI image specification, "Image Layout Specification".

mod blobs;
mod index;
mod storage;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::content::{AtomicFile, Descriptor, Digest, in_place_of_a_folder, open_regular};

use super::blocking;
use super::error::Error;
use super::{MANIFEST_LIMIT, media_type};
use index::Index;

/// The file that makes a folder a layout.
const MARKER: &str = "oci-layout";
const MARKER_BODY: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const VERSION: &str = "1.0.0";
/// Few large reads and writes: each is a trip to the blocking pool.
const BUFFER: usize = 256 * 1024;

/// An OCI image layout, as a [`Store`].
#[derive(Debug, Clone)]
pub struct Layout {
    directory: PathBuf,
}

impl Layout {
    /// Opens the layout in `directory`. Blocks for two small reads.
    ///
    /// # Errors
    ///
    /// [`Error::NotALayout`] when there is no such folder or it is no layout of version 1.0.0.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        let directory = directory.into();
        let not_a_layout = |reason| Error::NotALayout {
            directory: directory.clone(),
            reason,
        };
        require_folder(&directory)?;
        let marker = directory.join(MARKER);
        let text = match read_bounded(&marker) {
            Ok(text) => text,
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(not_a_layout(match directory.exists() {
                    true => "it has no `oci-layout` file",
                    false => "there is no such folder",
                }));
            }
            Err(error) => return Err(error),
        };
        let version = serde_json::from_slice::<serde_json::Value>(&text)
            .map_err(|_| not_a_layout("its `oci-layout` file is not JSON"))?;
        match version
            .get("imageLayoutVersion")
            .and_then(serde_json::Value::as_str)
        {
            Some(VERSION) => Ok(Self { directory }),
            _ => Err(not_a_layout("its `imageLayoutVersion` is not 1.0.0")),
        }
    }

    /// Opens the layout in `directory`, or makes one in a folder that is empty or not there yet.
    /// Blocks as [`open`](Self::open) does.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), also for a folder with other things in it; [`Error::File`] when the
    /// folder cannot be written to.
    pub fn open_or_create(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        let directory = directory.into();
        require_folder(&directory)?;
        let file = |source| Error::File {
            path: directory.clone(),
            source,
        };
        if !directory.join(MARKER).exists() {
            fs::create_dir_all(&directory).map_err(file)?;
            let foreign = |entry: &io::Result<fs::DirEntry>| {
                // What another process that makes this same layout right now may have put here.
                !entry.as_ref().is_ok_and(|entry| {
                    let name = entry.file_name();
                    [MARKER, "blobs", "index.json"]
                        .iter()
                        .any(|known| name == *known)
                        || name.to_string_lossy().starts_with(".par-")
                })
            };
            if fs::read_dir(&directory)
                .map_err(file)?
                .any(|entry| foreign(&entry))
            {
                let reason = "it holds other files; give a new or an empty folder";
                return Err(Error::NotALayout { directory, reason });
            }
            fs::create_dir_all(directory.join("blobs")).map_err(file)?;
            mark(&directory)?;
        }
        Self::open(directory)
    }

    /// The folder.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The tags of the layout, sorted.
    ///
    /// # Errors
    ///
    /// [`Error::File`], [`Error::Json`] or [`Error::Malformed`] when its index cannot be read.
    pub async fn tags(&self) -> Result<Vec<String>, Error> {
        let directory = self.directory.clone();
        blocking(move || Ok(Index::read(&directory)?.tags())).await
    }

    fn missing(&self, what: impl Into<String>) -> Error {
        Error::NotInLayout {
            directory: self.directory.clone(),
            what: what.into(),
        }
    }

    /// A manifest that no entry of the index names: its own `mediaType` says what it is.
    async fn resolve_blob(&self, digest: &Digest) -> Result<Descriptor, Error> {
        let missing = || self.missing(digest.to_string());
        let size = self.blob_size(digest).await?.ok_or_else(missing)?;
        let path = self.blob(digest);
        let text = blocking(move || read_bounded(&path)).await?;
        Ok(Descriptor {
            media_type: media_type::of_manifest(&text).ok_or_else(missing)?,
            digest: digest.clone(),
            size,
        })
    }
}

/// Refuses a path at which there cannot be a folder.
fn require_folder(directory: &Path) -> Result<(), Error> {
    let reason = match in_place_of_a_folder(directory) {
        None => return Ok(()),
        Some(other) if other == directory => "it is a file, and a folder is expected",
        Some(_) => "a folder is expected, and one above it is a file",
    };
    Err(Error::NotALayout {
        directory: directory.to_owned(),
        reason,
    })
}

/// A small file, at most [`MANIFEST_LIMIT`] bytes.
fn read_bounded(path: &Path) -> Result<Vec<u8>, Error> {
    let file_error = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let (file, _) = open_regular(path).map_err(file_error)?;
    let mut bytes = Vec::new();
    file.take(MANIFEST_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(file_error)?;
    if bytes.len() as u64 > MANIFEST_LIMIT {
        let what = format!("file {}", path.display());
        return Err(Error::TooLarge {
            what,
            limit: MANIFEST_LIMIT,
        });
    }
    Ok(bytes)
}

/// Makes the marker, unless another process has: it is never replaced, because whoever changes the index
/// locks it.
fn mark(directory: &Path) -> Result<(), Error> {
    let path = directory.join(MARKER);
    let write = || {
        let mut file = AtomicFile::create(&path)?;
        io::Write::write_all(&mut file, MARKER_BODY.as_bytes())?;
        file.commit_new()
    };
    match write() {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::file(&path)(error))
        }
        _ => Ok(()),
    }
}

fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut file = AtomicFile::create(path)?;
        io::Write::write_all(&mut file, bytes)?;
        file.commit()
    };
    write().map(drop).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
