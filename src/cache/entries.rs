//! Listing all files of the cache.

use std::fs::{DirEntry, Metadata, read_dir};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::content::{MANIFEST_LIMIT, if_found};

use super::error::Error;
use super::files::{is_no_directory, open_file};
use super::last_use::LastUse;
use super::open::Cache;
use super::paths::Purpose;

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

/// Something in the place of a file or a directory of the cache that cannot be one.
pub(super) struct Obstruction {
    /// The purpose of the file. `None` in the place of a directory.
    pub(super) purpose: Option<Purpose>,
    pub(super) path: PathBuf,
    /// How many bytes it takes on this disk. The content of a directory is not counted.
    pub(super) disk: u64,
}

/// Everything that was found in the directory of the cache.
#[derive(Default)]
pub(super) struct Entries {
    /// The files whose purpose is known, in the order in which the system gives them.
    pub(super) files: Vec<Entry>,
    pub(super) obstructions: Vec<Obstruction>,
    /// Why files and directories could not be examined.
    pub(super) failures: Vec<Error>,
}

impl Entry {
    /// Whether the file may be a manifest by its size and its first byte. `false` for a file that cannot be read.
    pub(super) fn may_be_manifest(&self) -> bool {
        if self.size > MANIFEST_LIMIT {
            return false;
        }
        let mut first = [0];
        let read = open_file(&self.path).and_then(|file| {
            let Some(mut file) = file else {
                return Ok(());
            };
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
    /// Lists everything in the cache. Leaves out files that are removed in the meantime. Fails if the directory of the
    /// cache cannot be read.
    pub(super) fn entries(&self) -> Result<Entries, Error> {
        let mut entries = Entries::default();
        let root = self.paths.root();
        let mut directories = vec![root.to_owned()];
        while let Some(directory) = directories.pop() {
            let listed = if_found(self.enter(&directory, &mut directories, &mut entries));
            if let Err(error) = listed.map_err(Error::file(&directory)) {
                if directory == root {
                    return Err(error);
                }
                entries.failures.push(error);
            }
        }
        Ok(entries)
    }

    fn enter(
        &self,
        directory: &Path,
        directories: &mut Vec<PathBuf>,
        entries: &mut Entries,
    ) -> io::Result<()> {
        for entry in read_dir(directory)? {
            let entry = entry?;
            let path = entry.path();
            if let Err(error) = self.examine(&entry, &path, directories, entries) {
                entries.failures.push(Error::file(&path)(error));
            }
        }
        Ok(())
    }

    fn examine(
        &self,
        entry: &DirEntry,
        path: &Path,
        directories: &mut Vec<PathBuf>,
        entries: &mut Entries,
    ) -> io::Result<()> {
        // This does not follow symbolic links.
        let Some(metadata) = if_found(entry.metadata())? else {
            return Ok(());
        };
        let disk = on_disk(&metadata);
        let is_directory = self.paths.is_directory(path);
        let purpose = self.paths.purpose(path).filter(|_| !is_directory);
        let is_obstruction = match purpose {
            Some(_) => !metadata.is_file(),
            None => is_directory && is_no_directory(path, &metadata),
        };
        if is_obstruction {
            entries.obstructions.push(Obstruction {
                purpose,
                path: path.to_owned(),
                disk,
            });
        } else if metadata.is_dir() {
            directories.push(path.to_owned());
        } else if let Some(purpose) = purpose {
            let used = last_use(&purpose, &metadata)?;
            let disk = match &purpose {
                Purpose::Program(digest) if self.is_program_of(path, digest)? => 0,
                _ => disk,
            };
            entries.files.push(Entry {
                purpose,
                path: path.to_owned(),
                size: metadata.len(),
                disk,
                used,
            });
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
