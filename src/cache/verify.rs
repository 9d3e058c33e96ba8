//! Reading everything there is.

use std::fs::remove_file;
use std::io;
use std::path::PathBuf;

use crate::content::Progress;

use super::Cache;
use super::error::Error;
use super::paths::Place;
use super::waiting::wait_until_free;

/// What [`Cache::verify`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many files were looked at.
    pub files: usize,
    /// How many bytes of content they have.
    pub bytes: u64,
    /// What was not what its name says. It is removed already.
    pub damaged: Vec<PathBuf>,
}

impl Cache {
    /// Reads all content and all records, and removes what is damaged. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when a file cannot be read or removed, or when `progress` stops the work.
    pub fn verify(&self, progress: &dyn Progress) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        for entry in self.entries()? {
            let intact = match &entry.place {
                Place::Content(kind, digest) => {
                    let _turn = wait_until_free(|| self.turn(digest))?;
                    self.reread(*kind, digest, progress)
                }
                Place::Reference(name) => match self.listed(name) {
                    Ok(_) => Ok(true),
                    Err(Error::NoReference(_)) => remove_file(&entry.path)
                        .map(|()| false)
                        .map_err(Error::file(&entry.path)),
                    Err(error) => Err(error),
                },
                // Who uses these checks them.
                Place::Memory | Place::Unfinished | Place::Temporary => continue,
            };
            match intact {
                Ok(true) => {
                    verified.files += 1;
                    verified.bytes += entry.size;
                }
                Ok(false) => {
                    verified.files += 1;
                    verified.damaged.push(entry.path);
                }
                // Pruned since it was listed.
                Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(verified)
    }
}
