//! Everything that is in the cache.

use std::fs::{Metadata, read_dir};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Cache;
use super::error::Error;
use super::paths::Place;

/// A file of the cache.
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) path: PathBuf,
    /// In bytes.
    pub(super) size: u64,
    /// When it was last used; for what is unfinished, when it was last written.
    pub(super) used: SystemTime,
}

impl Cache {
    /// All files whose purpose is known, in the order in which the system lists them. What disappears
    /// meanwhile is left out.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        let mut folders = vec![self.paths.root().to_owned()];
        while let Some(folder) = folders.pop() {
            self.enter(&folder, &mut folders, &mut entries)
                .or_else(|error| match error.kind() {
                    io::ErrorKind::NotFound => Ok(()),
                    _ => Err(Error::file(&folder)(error)),
                })?;
        }
        Ok(entries)
    }

    fn enter(
        &self,
        folder: &Path,
        folders: &mut Vec<PathBuf>,
        entries: &mut Vec<Entry>,
    ) -> io::Result<()> {
        for entry in read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            if metadata.is_dir() {
                folders.push(path);
            } else if let Some(place) = self.paths.place(&path) {
                let used = last_use(&place, &metadata)?;
                entries.push(Entry {
                    place,
                    path,
                    size: metadata.len(),
                    used,
                });
            }
        }
        Ok(())
    }
}

pub(super) fn last_use(place: &Place, metadata: &Metadata) -> io::Result<SystemTime> {
    match place {
        // The modification time of content is its seal.
        Place::Content(..) => metadata.accessed(),
        Place::Reference(_) | Place::Memory => Ok(metadata.accessed()?.max(metadata.modified()?)),
        Place::Unfinished | Place::Temporary => metadata.modified(),
    }
}
