//! A file that is read several times and must not change in between.

use std::fs::{File, Metadata};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use crate::archive;
use crate::content::{Reader, Source, StoreError, is_at, open_regular};

use super::blocking;
use super::error::Error;

/// Few large reads: each one is a trip to the blocking pool.
const BUFFER: usize = 256 * 1024;

/// A regular file that is read several times.
///
/// Each reader gets the file that was opened first. Opening a reader fails when the path leads to
/// another file, or when the size or the time of modification has changed.
#[derive(Debug, Clone)]
pub(super) struct UnchangedFile {
    path: Arc<PathBuf>,
    /// The file as it was opened first. It stays open, so that no other file gets its identity.
    file: Arc<File>,
    metadata: Metadata,
}

impl UnchangedFile {
    /// Opens the regular file at `path`. Blocks.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let opened = open_regular(path).and_then(|(file, _)| {
            let metadata = file.metadata()?;
            Ok((file, metadata))
        });
        let (file, metadata) = opened.map_err(unreadable(path))?;
        Ok(Self {
            path: Arc::new(path.to_owned()),
            file: Arc::new(file),
            metadata,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.metadata.len()
    }

    /// Opens a reader at the start of the file. Blocks.
    pub(super) fn reader(&self) -> Result<File, Error> {
        let opened = open_regular(&self.path).and_then(|(file, _)| {
            let now = file.metadata()?;
            let is_unchanged = is_at(&self.file, &self.path)?
                && self.metadata.len() == now.len()
                && self.metadata.modified().ok() == now.modified().ok();
            if is_unchanged {
                Ok(file)
            } else {
                Err(io::Error::other("the file changed while it was being read"))
            }
        });
        opened.map_err(unreadable(&self.path))
    }
}

#[async_trait]
impl Source for UnchangedFile {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let unchanged = self.clone();
        let opened = blocking(move || {
            let mut file = unchanged.reader()?;
            let moved = file.seek(SeekFrom::Start(offset));
            moved.map_err(unreadable(&unchanged.path))?;
            Ok(file)
        });
        let opened = opened.await;
        let file = opened.map_err(|error| StoreError::new(error.kind(), error))?;
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(BUFFER);
        Ok(Box::new(file))
    }
}

/// Makes the error of an archive that cannot be read.
pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| archive::Error::Read { path, source }.into()
}

#[cfg(test)]
#[path = "tests/unchanged_file.rs"]
mod tests;
