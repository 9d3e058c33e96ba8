//! Making way for a file of the cache, before a task writes it.

use std::path::Path;

use crate::content::{create_private_directory, directory_of};

use super::error::Error;
use super::files::{remove_non_directory, remove_obstruction};
use super::paths::Paths;

impl Paths {
    /// Creates the directory of the file of the cache at `path`, and removes whatever is in the way of the directory or of
    /// the file. A regular file at `path` stays.
    pub(super) fn make_way(&self, path: &Path) -> Result<(), Error> {
        let parent = directory_of(path);
        if let Err(error) = create_private_directory(parent) {
            if !self.remove_non_directories(parent)? {
                return Err(Error::directory(parent)(error));
            }
            create_private_directory(parent).map_err(Error::directory(parent))?;
        }
        remove_obstruction(path).map_err(Error::file(path))?;
        Ok(())
    }

    /// Removes what is in the place of `directory`, or of a directory between it and that of the cache. Returns whether
    /// anything was removed.
    fn remove_non_directories(&self, directory: &Path) -> Result<bool, Error> {
        let mut is_removed = false;
        let within = |above: &&Path| *above != self.root() && above.starts_with(self.root());
        for above in directory.ancestors().take_while(within) {
            is_removed |= remove_non_directory(above).map_err(Error::directory(above))?;
        }
        Ok(is_removed)
    }
}

#[cfg(test)]
#[path = "tests/make_way.rs"]
mod tests;
