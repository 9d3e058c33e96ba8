//! Listing all files of the cache.

use std::fs::{File, Metadata, read_dir};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::content::if_found;

use super::error::Error;
use super::last_use::LastUse;
use super::open::Cache;
use super::paths::Purpose;

/// The size of the largest blob that may be a manifest, in bytes. It is the limit of registries (OCI distribution
/// specification, "Pushing Manifests").
const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// A file of the cache.
pub(super) struct Entry {
    pub(super) purpose: Purpose,
    pub(super) path: PathBuf,
    /// The size of the content in bytes.
    pub(super) size: u64,
    /// How many bytes the file takes on this disk. A readable name of an executable takes none.
    pub(super) disk: u64,
    /// The time of the last use. For an unfinished file, the time of the last write.
    pub(super) used: SystemTime,
}

impl Entry {
    /// Whether the file may be a manifest by its size and its first byte. `false` for a file that cannot be read.
    pub(super) fn may_be_manifest(&self) -> bool {
        if self.size > MANIFEST_LIMIT {
            return false;
        }
        let mut first = [0];
        let read = File::open(&self.path).and_then(|mut file| {
            // This check does not count as a use of the file.
            let last_use = LastUse::of(&file)?;
            let read = file.read_exact(&mut first);
            last_use.restore(&file, &self.path);
            read
        });
        read.is_ok() && first == *b"{"
    }
}

impl Cache {
    /// Lists all files whose purpose is known, in the order in which the system gives them. Leaves out files that are
    /// removed in the meantime.
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
                let disk = match &purpose {
                    Purpose::Program(digest) if self.is_program_of(&path, digest)? => 0,
                    _ => on_disk(&metadata),
                };
                entries.push(Entry {
                    purpose,
                    path,
                    size: metadata.len(),
                    disk,
                    used,
                });
            }
        }
        Ok(())
    }
}

/// Returns how many bytes a file takes on this disk. Parts of the file that were never written take no space.
fn on_disk(metadata: &Metadata) -> u64 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // The unit is 512 bytes for every size of a block (POSIX, `st_blocks`).
        metadata.blocks().saturating_mul(512)
    }
    #[cfg(not(unix))]
    {
        metadata.len()
    }
}

pub(super) fn last_use(purpose: &Purpose, metadata: &Metadata) -> io::Result<SystemTime> {
    match purpose {
        // The modification time of content is part of its seal.
        Purpose::Content(..) | Purpose::Program(_) => metadata.accessed(),
        Purpose::Reference(_) | Purpose::Head(_) | Purpose::Bundle(_) | Purpose::Hint => {
            Ok(metadata.accessed()?.max(metadata.modified()?))
        }
        // Listing the cache reads the description of a provider. That does not count as a use.
        Purpose::Provider(_) | Purpose::Unfinished | Purpose::Temporary => metadata.modified(),
    }
}
