//! Listing all files of the cache.

use std::fs::{Metadata, read_dir};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::content::if_found;

use super::error::Error;
use super::open::Cache;
use super::paths::Purpose;

/// A file of the cache.
pub(super) struct Entry {
    pub(super) purpose: Purpose,
    pub(super) path: PathBuf,
    /// The size in bytes.
    pub(super) size: u64,
    /// When the file was last used; when it was last written, if it is unfinished.
    pub(super) used: SystemTime,
}

impl Cache {
    /// Lists all files whose purpose is known, in the order in which the system gives them. Files that
    /// disappear meanwhile are left out.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        let mut directories = vec![self.paths.root().to_owned()];
        while let Some(directory) = directories.pop() {
            if_found(self.enter(&directory, &mut directories, &mut entries))
                .map_err(Error::file(&directory))?;
        }
        Ok(entries)
    }

    fn enter(
        &self,
        directory: &Path,
        directories: &mut Vec<PathBuf>,
        entries: &mut Vec<Entry>,
    ) -> io::Result<()> {
        for entry in read_dir(directory)? {
            let entry = entry?;
            let path = entry.path();
            let Some(metadata) = if_found(entry.metadata())? else {
                continue;
            };
            if metadata.is_dir() {
                directories.push(path);
            } else if let Some(purpose) = self.paths.purpose(&path) {
                let used = last_use(&purpose, &metadata)?;
                entries.push(Entry {
                    purpose,
                    path,
                    size: metadata.len(),
                    used,
                });
            }
        }
        Ok(())
    }
}

pub(super) fn last_use(purpose: &Purpose, metadata: &Metadata) -> io::Result<SystemTime> {
    match purpose {
        // The modification time of content is its seal.
        Purpose::Content(..) => metadata.accessed(),
        Purpose::Reference(_) | Purpose::Hint => Ok(metadata.accessed()?.max(metadata.modified()?)),
        Purpose::Unfinished | Purpose::Temporary => metadata.modified(),
    }
}
