//! Removing the temporary files and directories of processes that were killed.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::locks::Locking;
use super::regular::is_ours;

/// The start of the name of each temporary file and directory.
pub(super) const PREFIX: &str = ".par-";
/// The end of the name of each temporary file.
pub(super) const SUFFIX: &str = ".partial";
/// The end of the name of each temporary directory.
pub(super) const DIRECTORY_SUFFIX: &str = ".unpacked";

/// The most entries of a directory that are examined.
const ENTRIES: usize = 10_000;
/// The most directories in which one process removes leftovers.
const DIRECTORIES: usize = 1_000;
/// On a file system without locks, a temporary file or directory that is older than this is a leftover.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The directories in which this process has removed leftovers.
static DONE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Whether `name` is that of a temporary file. Such a file is left behind when its process is killed.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Removes the temporary files and directories that processes of this user have left in `directory`. A process does
/// this once for each directory.
pub(super) fn remove_leftovers(directory: &Path) {
    {
        let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
        if done.len() >= DIRECTORIES || !done.insert(directory.to_owned()) {
            return;
        }
    }
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.take(ENTRIES).flatten() {
        let path = entry.path();
        match remove_leftover(&entry, &path) {
            Ok(false) => {}
            Ok(true) => tracing::debug!(path = %path.display(), "removed a leftover"),
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "a leftover is not removed")
            }
        }
    }
}

/// Removes a file or directory if it is a leftover. Returns whether it is one.
fn remove_leftover(entry: &DirEntry, path: &Path) -> io::Result<bool> {
    let name = entry.file_name();
    let Some(ending) = name.to_str().and_then(ending) else {
        return Ok(false);
    };
    let found = entry.metadata()?;
    let is_right = match ending {
        SUFFIX => found.is_file(),
        _ => found.is_dir(),
    };
    if !is_right || !is_ours(&found) {
        return Ok(false);
    }
    let opened = File::open(path)?;
    match Locking::exclusive(&opened, path)? {
        Locking::Busy => return Ok(false),
        Locking::Unsupported if !is_old(&found) => return Ok(false),
        Locking::Locked | Locking::Unsupported => {}
    }
    if found.is_dir() {
        fs::remove_dir_all(path)?;
    } else {
        fs::remove_file(path)?;
    }
    Ok(true)
}

/// Returns what follows the six random letters in the name of a temporary file or directory.
fn ending(name: &str) -> Option<&str> {
    let (letters, ending) = name.strip_prefix(PREFIX)?.split_at_checked(6)?;
    let is_ours = letters.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_ours && matches!(ending, SUFFIX | DIRECTORY_SUFFIX)).then_some(ending)
}

fn is_old(found: &Metadata) -> bool {
    let age = found.modified().ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > AGE)
}

#[cfg(test)]
#[path = "tests/leftovers.rs"]
mod tests;
