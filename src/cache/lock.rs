//! Turns that processes take.

use std::fs::{File, OpenOptions, TryLockError, remove_file, symlink_metadata};
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
    /// Takes the turn, unless somebody else holds the lock file at `path`.
    pub(super) fn attempt(path: &Path) -> io::Result<Option<Self>> {
        let file = try_open_locked(path)?;
        Ok(file.map(|file| Self {
            path: path.to_owned(),
            file,
        }))
    }

    /// Whether somebody holds the lock file at `path`. Makes none.
    pub(super) fn is_held(path: &Path) -> io::Result<bool> {
        match File::open(path) {
            Ok(file) => Ok(!is_locked(file.try_lock())?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
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

/// Opens the file at `path`, makes it if it is missing, and locks it. `None` when somebody else has it
/// locked.
pub(super) fn try_open_locked(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    loop {
        let file = options.open(path)?;
        if !is_locked(file.try_lock())? {
            return Ok(None);
        }
        // Who had it before may have removed it, or given it its final name.
        if is_at(&file, path) {
            return Ok(Some(file));
        }
    }
}

/// What became of trying to lock a file: whether it is locked now.
pub(super) fn is_locked(tried: Result<(), TryLockError>) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether an open file is the one that is at `path` now.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), symlink_metadata(path)) {
        (Ok(open), Ok(there)) => is_same(&open, &there),
        _ => false,
    }
}
