//! Verifying all content of the cache.

use std::fs::remove_file;
use std::io;
use std::path::PathBuf;

use crate::content::Progress;

use super::error::Error;
use super::lock::wait_until_free;
use super::open::Cache;
use super::paths::Purpose;

/// The result of [`Cache::verify`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// How many files were checked.
    pub files: usize,
    /// How many bytes the intact files have.
    pub bytes: u64,
    /// The files that were damaged. They have been removed.
    pub damaged: Vec<PathBuf>,
}

impl Cache {
    /// Reads all content and all records of tags, and removes damaged files. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when a file cannot be read or removed, or when `progress` stops the work.
    pub fn verify(&self, progress: &dyn Progress) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        let mut entries = self.entries()?;
        // Readable names come after the executables, because a damaged executable is removed with its names.
        entries.sort_by_key(|entry| matches!(entry.purpose, Purpose::Program(_)));
        for entry in entries {
            let intact = match &entry.purpose {
                // The name leads to a file that is checked itself, or pruning has left it behind.
                Purpose::Program(digest) if !self.names_another_file(digest, &entry.path)? => {
                    continue;
                }
                Purpose::Content(kind, digest) => {
                    let _turn = wait_until_free(|| self.turn(digest))?;
                    self.reread(*kind, digest, progress)
                }
                Purpose::Reference(name) => match self.listed(name) {
                    Ok(_) => Ok(true),
                    Err(Error::NoReference(_)) => remove_file(&entry.path)
                        .map(|()| false)
                        .map_err(Error::file(&entry.path)),
                    Err(error) => Err(error),
                },
                Purpose::Program(_) => remove_file(&entry.path)
                    .map(|()| false)
                    .map_err(Error::file(&entry.path)),
                // These are checked when they are used.
                Purpose::Provider(_)
                | Purpose::Bundle(_)
                | Purpose::Head(_)
                | Purpose::Hint
                | Purpose::Unfinished
                | Purpose::Temporary => continue,
            };
            match intact {
                Ok(true) => verified.bytes += entry.size,
                Ok(false) => verified.damaged.push(entry.path),
                // The file was pruned after it was listed.
                Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    continue;
                }
                Err(error) => return Err(error),
            }
            verified.files += 1;
        }
        Ok(verified)
    }
}
