//! Verifying all content of the cache.

use std::io;
use std::path::PathBuf;

use crate::content::{Digest, Progress};

use super::entries::{Entries, Entry, Obstruction};
use super::error::Error;
use super::files::{remove, remove_non_directory, remove_obstruction};
use super::lock::wait_until_free;
use super::open::Cache;
use super::paths::{Kind, Purpose};

/// The result of [`Cache::verify`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Verified {
    /// How many files were checked.
    pub files: usize,
    /// How many bytes the intact files have.
    pub bytes: u64,
    /// The files that were damaged. They have been removed. Whatever else was at the path of a file is here too, such as
    /// a directory.
    pub damaged: Vec<PathBuf>,
    /// Why files could not be read or removed. They are not among the checked files. Empty if there was no failure.
    pub failures: Vec<Error>,
}

impl Verified {
    /// Counts one file. `intact` says whether it is intact, or was removed.
    fn count(
        &mut self,
        path: PathBuf,
        size: u64,
        intact: Result<bool, Error>,
    ) -> Result<(), Error> {
        match intact {
            Ok(true) => self.bytes += size,
            Ok(false) => self.damaged.push(path),
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) if is_of_one_file(&error) => {
                self.failures.push(error);
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.files += 1;
        Ok(())
    }
}

impl Cache {
    /// Reads all content and all records of tags, and removes damaged files. Blocks.
    ///
    /// A file that cannot be read or removed does not keep the others from being checked: its error is in
    /// [`Verified::failures`].
    ///
    /// # Errors
    ///
    /// [`Error::File`] when the directory of the cache cannot be read, or when `progress` stops the work.
    pub fn verify(&self, progress: &dyn Progress) -> Result<Verified, Error> {
        let Entries {
            mut files,
            obstructions,
            failures,
        } = self.entries()?;
        let mut verified = Verified {
            failures,
            ..Verified::default()
        };
        for obstruction in obstructions {
            let intact = self.remove_found(&obstruction, progress);
            verified.count(obstruction.path, 0, intact)?;
        }
        // Readable names come after the executables, because a damaged executable is removed with its names.
        files.sort_by_key(|entry| matches!(entry.purpose, Purpose::Program(_)));
        for entry in files {
            if let Some(intact) = self.check(&entry, progress).transpose() {
                verified.count(entry.path, entry.size, intact)?;
            }
        }
        Ok(verified)
    }

    /// Removes what is in the place of a file or a directory. Returns `false`, because it is never intact.
    fn remove_found(
        &self,
        obstruction: &Obstruction,
        progress: &dyn Progress,
    ) -> Result<bool, Error> {
        let path = &obstruction.path;
        let removed = match &obstruction.purpose {
            // An executable is removed with its readable names.
            Some(Purpose::Content(kind, digest)) => {
                return self.check_content(*kind, digest, progress);
            }
            Some(_) => remove_obstruction(path),
            None => remove_non_directory(path),
        };
        removed.map(|_| false).map_err(Error::file(path))
    }

    /// Returns whether a file is intact, and removes it if it is not. Returns `None` for a file that is checked when it is
    /// used, or that is another name of one.
    fn check(&self, entry: &Entry, progress: &dyn Progress) -> Result<Option<bool>, Error> {
        let remove = || remove(&entry.path).map_err(Error::file(&entry.path));
        let is_intact = match &entry.purpose {
            Purpose::Content(kind, digest) => self.check_content(*kind, digest, progress)?,
            Purpose::Reference(name) => match self.listed(name) {
                Ok(_) => true,
                Err(Error::NoReference(_)) => {
                    remove()?;
                    false
                }
                Err(error) => return Err(error),
            },
            // The name leads to a file that is checked itself, or pruning has left it behind.
            Purpose::Program(digest) if !self.names_another_file(digest, &entry.path)? => {
                return Ok(None);
            }
            Purpose::Program(_) => {
                remove()?;
                false
            }
            Purpose::Provider(_)
            | Purpose::Bundle(_)
            | Purpose::Head(_)
            | Purpose::Hint
            | Purpose::Unfinished
            | Purpose::Temporary => return Ok(None),
        };
        Ok(Some(is_intact))
    }

    fn check_content(
        &self,
        kind: Kind,
        digest: &Digest,
        progress: &dyn Progress,
    ) -> Result<bool, Error> {
        let _turn = wait_until_free(|| self.turn(digest))?;
        self.reread(kind, digest, progress)
    }
}

/// Whether a file was pruned after it was listed.
fn is_missing(error: &Error) -> bool {
    matches!(error, Error::File { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

/// Whether an error says that one file or its directory cannot be used. An error that is not from the system comes from
/// the progress, which has stopped the work.
fn is_of_one_file(error: &Error) -> bool {
    match error {
        Error::File { source, .. } => source.get_ref().is_none(),
        Error::Directory { .. } | Error::NotADirectory(_) => true,
        _ => false,
    }
}
