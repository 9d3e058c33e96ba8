//! Opening and reading the files of the cache, and removing what is damaged or in their way.
//!
//! At the path of a file of the cache, no task puts anything but a regular file. Whatever else is there, such as a
//! directory, a pipe or a symbolic link, is damaged content: it is never read, followed or waited for. It is removed when
//! the file is needed, and by pruning and verifying.

use std::fs::{self, File, Metadata, symlink_metadata};
use std::io;
use std::path::Path;

use crate::content::{is_absent, is_too_large, open_regular, read_file_bounded};

/// Returns the metadata of what is at `path`, which may be a symbolic link. `None` if nothing is there or can be there,
/// because a directory in the path is something else or a loop of symbolic links.
pub(super) fn found(path: &Path) -> io::Result<Option<Metadata>> {
    match symlink_metadata(path) {
        Err(error) if leads_nowhere(&error) => Ok(None),
        found => found.map(Some),
    }
}

/// Opens the file at `path` for reading. Returns `None` if there is no regular file.
pub(super) fn open_file(path: &Path) -> io::Result<Option<File>> {
    if !found(path)?.is_some_and(|found| found.is_file()) {
        return Ok(None);
    }
    match open_regular(path) {
        Err(error) if is_absent(&error) => Ok(None),
        opened => opened.map(|(file, _)| Some(file)),
    }
}

/// Reads the file at `path`. Returns `None` if there is no regular file, or if it has more than `limit` bytes.
pub(super) fn read_file(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    if !found(path)?.is_some_and(|found| found.is_file()) {
        return Ok(None);
    }
    match read_file_bounded(path, limit) {
        Err(error) if is_absent(&error) || is_too_large(&error) => Ok(None),
        read => read.map(Some),
    }
}

/// Removes what is at `path`: a directory with everything in it, but never what a symbolic link leads to. Returns whether
/// anything was there.
pub(super) fn remove(path: &Path) -> io::Result<bool> {
    match found(path)? {
        Some(found) => remove_found(path, &found),
        None => Ok(false),
    }
}

/// Removes damaged content at `path`, whatever it is. The next task that needs the content receives it again.
pub(super) fn remove_damaged(path: &Path) -> io::Result<bool> {
    match found(path)? {
        Some(found) => remove_damaged_found(path, &found),
        None => Ok(false),
    }
}

/// Removes what is at `path`, where a file of the cache belongs, unless it is a regular file. Returns whether anything
/// was removed.
pub(super) fn remove_obstruction(path: &Path) -> io::Result<bool> {
    match found(path)? {
        Some(found) if !found.is_file() => remove_damaged_found(path, &found),
        _ => Ok(false),
    }
}

/// Removes what is at `path`, where a directory of the cache belongs, unless it can be one. Returns whether anything was
/// removed.
pub(super) fn remove_non_directory(path: &Path) -> io::Result<bool> {
    match found(path)? {
        Some(found) if is_no_directory(path, &found) => {
            let is_removed = remove_found(path, &found)?;
            if is_removed {
                let path = path.display();
                tracing::warn!("removed {path}, which was in the place of a directory");
            }
            Ok(is_removed)
        }
        _ => Ok(false),
    }
}

fn remove_damaged_found(path: &Path, found: &Metadata) -> io::Result<bool> {
    let is_removed = remove_found(path, found)?;
    if is_removed {
        let path = path.display();
        match not_a_file(found) {
            Some(what) => tracing::warn!("removed the damaged file {path}: it was {what}"),
            None => tracing::warn!("removed the damaged file {path}"),
        }
    }
    Ok(is_removed)
}

fn remove_found(path: &Path, found: &Metadata) -> io::Result<bool> {
    // Another process may have removed what was found, and made the file. The function for directories removes no file.
    let removed = if found.is_dir() || found.is_symlink() {
        // Of a symbolic link, this removes the link only, also on Windows, where a link to a directory is a directory.
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if is_absent(&error) => Ok(false),
        removed => removed.map(|()| true),
    }
}

/// Whether what is at `path` cannot be a directory of the cache. A symbolic link to a directory can be one. So can a link
/// that leads to nothing: a disk may not be mounted now.
pub(super) fn is_no_directory(path: &Path, found: &Metadata) -> bool {
    if !found.is_symlink() {
        return !found.is_dir();
    }
    match fs::metadata(path) {
        Ok(target) => !target.is_dir(),
        Err(error) => is_loop(&error),
    }
}

/// Returns what is at a path, with its article. `None` for a regular file.
fn not_a_file(found: &Metadata) -> Option<&'static str> {
    if found.is_file() {
        None
    } else if found.is_dir() {
        Some("a directory")
    } else if found.is_symlink() {
        Some("a symbolic link")
    } else {
        Some("a pipe or another special file")
    }
}

/// Whether an error says that nothing can be at a path.
fn leads_nowhere(error: &io::Error) -> bool {
    is_absent(error) || is_loop(error)
}

/// Whether an error says that the symbolic links of a path form a loop.
fn is_loop(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

#[cfg(unix)]
#[cfg(test)]
#[path = "tests/files.rs"]
mod tests;
