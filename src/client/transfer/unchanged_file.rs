//! A file that is read several times and must not change in between.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;

use async_trait::async_trait;

use crate::archive;
use crate::content::{self, Reader, Source, StoreError};

use super::super::blocking;
use super::super::error::Error;

/// The size of a read in bytes. It is large because each read is a call to the runtime's blocking threads.
const BUFFER: usize = 256 * 1024;

/// A regular file that is read several times. Its errors are errors of an archive.
///
/// All readers read the same open file. Opening a reader fails when the path leads to another file, or when the size or
/// the time of modification has changed.
#[derive(Debug, Clone)]
pub(in crate::client) struct UnchangedFile(content::UnchangedFile);

impl UnchangedFile {
    /// Opens the regular file at `path`. Blocks.
    pub(in crate::client) fn open(path: &Path) -> Result<Self, Error> {
        let file = content::UnchangedFile::open(path);
        Ok(Self(file.map_err(unreadable(path))?))
    }

    pub(in crate::client) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns the size in bytes.
    pub(in crate::client) fn size(&self) -> u64 {
        self.0.size()
    }

    /// Opens a reader at the start of the file. Blocks.
    pub(in crate::client) fn reader(&self) -> Result<File, Error> {
        self.0.reader().map_err(unreadable(self.path()))
    }
}

#[async_trait]
impl Source for UnchangedFile {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let unchanged = self.clone();
        let opened = blocking(move || {
            let mut file = unchanged.reader()?;
            let moved = file.seek(SeekFrom::Start(offset));
            moved.map_err(unreadable(unchanged.path()))?;
            Ok(file)
        });
        let opened = opened.await;
        let file = opened.map_err(|error| StoreError::new(error.kind(), error))?;
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(BUFFER);
        Ok(Box::new(file))
    }
}

/// Returns a function that makes the error of an archive that cannot be read.
pub(in crate::client) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| archive::Error::Read { path, source }.into()
}

#[cfg(test)]
#[path = "tests/unchanged_file.rs"]
mod tests;
