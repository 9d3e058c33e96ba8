//! Giving files their final names.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf, is_separator};

use super::directory::{directory_of, naming_directory, sync_directory_of};
use super::regular::require_regular;
use super::temporary::{Temporary, temporary_name};

/// The most symbolic links that a path may lead through. Linux has the same limit.
pub(crate) const LINKS: usize = 40;

/// A file that appears under its name complete or not at all.
///
/// It is written as a temporary file in the same directory. [`commit`](Self::commit) flushes it to disk
/// and gives it its name. Dropping it without a commit removes the temporary file; an older file under the final
/// name is untouched.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    temporary: Temporary,
    destination: PathBuf,
}

impl AtomicFile {
    /// Creates a temporary file beside `destination`, readable as the process's umask allows.
    ///
    /// A symbolic link at `destination` is followed: the link stays, and its target is created or replaced.
    /// Only a regular file is replaced: replacing a device such as `/dev/null` would destroy it.
    pub(crate) fn create(destination: &Path) -> io::Result<Self> {
        Self::with_mode(destination, 0o666)
    }

    /// [Creates](Self::create) a temporary file that only its owner can ever open.
    pub(crate) fn create_private(destination: &Path) -> io::Result<Self> {
        Self::with_mode(destination, 0o600)
    }

    fn with_mode(destination: &Path, mode: u32) -> io::Result<Self> {
        require_replaceable(destination)?;
        let destination = followed(destination)?;
        let directory = directory_of(&destination);
        let temporary = Temporary::create(directory, mode)?;
        Ok(Self {
            temporary,
            destination,
        })
    }

    /// Sets the permission bits of the file. Has no effect on Windows.
    pub(crate) fn set_mode(&self, mode: u32) -> io::Result<()> {
        set_mode(self.temporary.file(), mode)
    }

    /// Gives the file the permission bits of `other`, and its owner and group if the system allows that.
    pub(crate) fn resemble(&self, other: &File) -> io::Result<()> {
        let file = self.temporary.file();
        let metadata = other.metadata()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            // Only root may give a file to another user.
            if let Err(error) = fchown(file, Some(metadata.uid()), Some(metadata.gid())) {
                tracing::debug!(%error, "the file does not keep its owner");
            }
        }
        file.set_permissions(metadata.permissions())
    }

    pub(crate) fn as_file(&self) -> &File {
        self.temporary.file()
    }

    /// Flushes the file to disk and gives it its final name, replacing an older file. Returns the path. After
    /// an error, the temporary file is removed.
    pub(crate) fn commit(self) -> io::Result<PathBuf> {
        self.commit_by(Temporary::rename)
    }

    /// [Commits](Self::commit) the file unless a file has its final name already: the error is
    /// [`io::ErrorKind::AlreadyExists`] then.
    pub(crate) fn commit_new(self) -> io::Result<PathBuf> {
        self.commit_by(Temporary::rename_new)
    }

    /// [Commits](Self::commit) the file if `check` returns `true`, and returns whether it did. `check` is called just
    /// before the file gets its final name. When it returns `false`, the temporary file is removed.
    pub(crate) fn commit_if(self, check: impl FnOnce() -> io::Result<bool>) -> io::Result<bool> {
        let mut is_right = false;
        self.commit_by(|temporary, destination| {
            is_right = check()?;
            if is_right {
                temporary.rename(destination)?;
            }
            Ok(())
        })?;
        Ok(is_right)
    }

    /// Writes `bytes` and [commits](Self::commit) the file.
    pub(crate) fn commit_with(mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)?;
        self.commit().map(drop)
    }

    fn commit_by(
        self,
        rename: impl FnOnce(Temporary, &Path) -> io::Result<()>,
    ) -> io::Result<PathBuf> {
        self.temporary.file().sync_all()?;
        rename(self.temporary, &self.destination)?;
        sync_directory_of(&self.destination);
        Ok(self.destination)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.file_mut().flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.temporary.file_mut().seek(position)
    }
}

/// Flushes `file`, which is at `from`, to disk, renames it to `to`, and gives it the permission bits `mode`.
/// Both paths must be on one file system.
pub(crate) fn publish(file: &File, from: &Path, to: &Path, mode: u32) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(from, to)?;
    // The bits are set after the rename: when the rename fails, the file must still be writable under its old name.
    set_mode(file, mode)?;
    sync_directory_of(to);
    Ok(())
}

/// Gives the file at `path` the second name `name` (a hard link), in place of another file of that name.
pub(crate) fn give_second_name(path: &Path, name: &Path) -> io::Result<()> {
    match fs::hard_link(path, name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        linked => return linked,
    }
    let directory = directory_of(name);
    let linked = temporary_name(directory, |temporary| fs::hard_link(path, temporary))?;
    fs::rename(&linked, name)?;
    // Renaming does nothing when both names belong to one file already. Dropping `linked` removes the temporary name.
    drop(linked);
    Ok(())
}

/// Sets the permission bits of a file. Has no effect on Windows.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    let _ = (file, mode);
    Ok(())
}

/// Refuses a destination that exists and is not a regular file.
fn require_replaceable(destination: &Path) -> io::Result<()> {
    match fs::metadata(destination) {
        Ok(metadata) => require_regular(&metadata),
        // A path that ends in a separator names a directory: it is missing, or a file is in its place.
        Err(error) if destination.to_string_lossy().ends_with(is_separator) => {
            Err(naming_directory(destination)(error))
        }
        // Either nothing is at the path, or creating the temporary file reports the reason.
        Err(_) => Ok(()),
    }
}

/// Follows symbolic links from `path` to the file that they name, which need not exist.
pub(crate) fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&place) {
            Ok(target) => place = directory_of(&place).join(target),
            Err(_) => return Ok(place),
        }
    }
    let reason = "its symbolic links form a loop";
    Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
}

#[cfg(test)]
#[path = "tests/atomic.rs"]
mod tests;
