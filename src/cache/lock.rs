//! Turns that processes take.

use std::fs::{File, OpenOptions, remove_file, symlink_metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::content::is_same;

/// The right to be the only one at work on something. Ends when it is dropped, and with the process.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Waits for the turn of whoever holds the lock file at `path`. Blocks.
    pub(super) fn wait(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: open_locked(path)?,
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is locked, so that nobody is given a turn on a file without a name for good.
        if is_at(&self.file, &self.path)
            && let Err(error) = remove_file(&self.path)
        {
            tracing::debug!(path = %self.path.display(), %error, "a lock file stays behind");
        }
    }
}

/// Opens the file at `path`, makes it if it is missing, and waits until nobody else has it locked. Blocks.
pub(super) fn open_locked(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    loop {
        let file = options.open(path)?;
        file.lock()?;
        // Who had it before may have removed it, or given it its final name.
        if is_at(&file, path) {
            return Ok(file);
        }
    }
}

/// Whether an open file is the one that is at `path` now.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), symlink_metadata(path)) {
        (Ok(open), Ok(there)) => is_same(&open, &there),
        _ => false,
    }
}
