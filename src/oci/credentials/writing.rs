//! Writing a file with credentials: in one step where the system allows it, or else in place.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use crate::content::{AtomicFile, directory_of, followed, read_bounded};

/// The largest file with credentials that is read, in bytes.
pub(super) const SIZE_LIMIT: u64 = 4 * 1024 * 1024;

/// Replaces the content of the file at `path`, or creates the file. Only its owner can read it, and it keeps its owner.
///
/// Some files cannot be replaced: a file that is itself a mount, as in a container, and a file in a directory that is
/// not writable. Such a file is written in place and keeps its permission bits.
pub(super) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    match replace_at_once(path, text) {
        Err(error) if cannot_be_replaced(&error) => match overwrite(path, text) {
            // The file does not exist, so that the first error, about the directory, is the reason.
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => Err(error),
            other => other,
        },
        other => other,
    }
}

/// Checks that [`replace`] can succeed, without changing anything.
pub(super) fn check_replaceable(path: &Path) -> io::Result<()> {
    let link = path;
    let path = followed(path)?;
    let directory = directory_of(&path);
    // The directory of a new file is created later, but not the directory to which a link leads.
    if path != link && !directory.exists() {
        let reason = format!("there is no directory {}", directory.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, reason));
    }
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        let reason = "not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    match OpenOptions::new().write(true).open(&path) {
        Ok(_) => Ok(()),
        // A missing or read-only file can be replaced if its directory is writable.
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_read_only(&error) => {
            let mut directories = directory.ancestors();
            let existing = directories.find(|directory| directory.exists());
            let directory = existing.filter(|directory| *directory != Path::new(""));
            // The file has no name where the system supports that.
            tempfile::tempfile_in(directory.unwrap_or(Path::new("."))).map(drop)
        }
        Err(error) => Err(error),
    }
}

fn replace_at_once(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create_private(path)?;
    keep_owner(path, file.as_file());
    file.write_all(text)?;
    file.commit().map(drop)
}

/// Gives `file` the owner and the group of the file at `path`, if that exists and the system allows it.
fn keep_owner(path: &Path, file: &File) {
    #[cfg(unix)]
    if let Ok(old) = path.metadata() {
        use std::os::unix::fs::{MetadataExt, fchown};
        // Only root may give a file to another user.
        if let Err(error) = fchown(file, Some(old.uid()), Some(old.gid())) {
            tracing::debug!(%error, "the file with credentials does not keep its owner");
        }
    }
    #[cfg(not(unix))]
    let _ = (path, file);
}

/// Overwrites the content of a file. When that fails halfway, writes the old content again.
fn overwrite(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let old = read_bounded(&file, SIZE_LIMIT)?;
    let written = set_content(&mut file, text);
    if written.is_err() {
        // Restoring may fail for the same reason. Only the first failure is reported.
        let _ = set_content(&mut file, &old);
    }
    written
}

fn set_content(file: &mut File, text: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text)?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

/// Returns whether a file could not be replaced because its name, or its directory, cannot be changed.
fn cannot_be_replaced(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ResourceBusy
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::CrossesDevices
    )
}

/// Returns whether the permission bits of a file forbid writing. A file that cannot be written for another reason, such
/// as an immutable file, cannot be replaced either.
fn is_read_only(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(rustix::io::Errno::ACCESS.raw_os_error());
    #[cfg(not(unix))]
    return error.kind() == io::ErrorKind::PermissionDenied;
}

#[cfg(test)]
#[cfg(unix)]
#[path = "tests/writing.rs"]
mod tests;
