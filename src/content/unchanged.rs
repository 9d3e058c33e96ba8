//! A file that is read several times and must not change in between.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::regular::{is_at, open_regular};

/// A regular file that is read several times.
///
/// Each reader gets the file that was opened first. Opening a reader fails when the path leads to
/// another file, or when the size or the time of modification has changed.
#[derive(Debug, Clone)]
pub(crate) struct UnchangedFile {
    path: Arc<PathBuf>,
    /// The file as it was opened first. It stays open, so that the system cannot reuse its inode number.
    file: Arc<File>,
    metadata: Metadata,
}

impl UnchangedFile {
    /// Opens the regular file at `path`. Blocks.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (file, _) = open_regular(path)?;
        Self::opened(file, path)
    }

    /// Returns `file`, which was opened at `path`, as a file that must not change from now on.
    pub(crate) fn opened(file: File, path: &Path) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            path: Arc::new(path.to_owned()),
            file: Arc::new(file),
            metadata,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the file as it was opened first.
    pub(crate) fn as_file(&self) -> &File {
        &self.file
    }

    /// Returns the size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.metadata.len()
    }

    /// Opens a reader at the start of the file. Blocks.
    pub(crate) fn reader(&self) -> io::Result<File> {
        let (file, _) = open_regular(&self.path)?;
        if self.is_like(&file.metadata()?)? {
            Ok(file)
        } else {
            Err(io::Error::other("the file changed while it was being read"))
        }
    }

    /// Returns whether the path still leads to the file that was opened first, and the file has not changed.
    pub(crate) fn is_unchanged(&self) -> io::Result<bool> {
        self.is_like(&self.file.metadata()?)
    }

    fn is_like(&self, now: &Metadata) -> io::Result<bool> {
        Ok(is_at(&self.file, &self.path)?
            && self.metadata.len() == now.len()
            && self.metadata.modified().ok() == now.modified().ok())
    }
}
