//! Temporary files, which get a name when they are complete.
//!
//! On Linux a temporary file has no name at all, so that nothing stays behind when its process is killed. Where the
//! system or the file system cannot do this, the file has a name that begins with `.par-`. The file is locked while its
//! process lives, so that a later process recognises leftovers (`leftovers.rs`).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempDir, TempPath};

use super::directory::naming_directory;
use super::leftovers::{DIRECTORY_SUFFIX, PREFIX, SUFFIX, remove_leftovers};
use super::locks::Locking;
use super::regular::is_at;

/// A file that is removed unless it gets its final name.
#[derive(Debug)]
pub(super) struct Temporary {
    file: File,
    /// `None` for a file without a name.
    name: Option<TempPath>,
    directory: PathBuf,
}

impl Temporary {
    /// Creates a file in `directory` with the permission bits of `mode` that the umask allows.
    pub(super) fn create(directory: &Path, mode: u32) -> io::Result<Self> {
        remove_leftovers(directory);
        if let Some(file) = nameless(directory, mode) {
            lock(&file, directory);
            let directory = directory.to_owned();
            return Ok(Self {
                file,
                name: None,
                directory,
            });
        }
        Self::with_name(directory, mode).map_err(naming_directory(directory))
    }

    fn with_name(directory: &Path, mode: u32) -> io::Result<Self> {
        loop {
            let (file, name) = builder(mode).tempfile_in(directory)?.into_parts();
            lock(&file, &name);
            // Another process may have taken the file for a leftover before it was locked.
            if is_at(&file, &name)? {
                return Ok(Self {
                    file,
                    name: Some(name),
                    directory: directory.to_owned(),
                });
            }
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn file_mut(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives the file the name `path`, and replaces an older file of that name.
    pub(super) fn rename(self, path: &Path) -> io::Result<()> {
        let Self {
            file,
            name,
            directory,
        } = self;
        let name = match name {
            Some(name) => name,
            None => named(&file, &directory)?,
        };
        name.persist(path)?;
        unlock(&file);
        Ok(())
    }

    /// Gives the file the name `path`, unless there is a file of that name: [`io::ErrorKind::AlreadyExists`].
    pub(super) fn rename_new(self, path: &Path) -> io::Result<()> {
        let Self {
            file,
            name,
            directory,
        } = self;
        let name = match name {
            Some(name) => name,
            None => match link(&file, path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    named(&file, &directory)?
                }
                linked => {
                    unlock(&file);
                    return linked;
                }
            },
        };
        name.persist_noclobber(path)?;
        unlock(&file);
        Ok(())
    }
}

/// A directory that is removed with everything in it when this value is dropped.
#[derive(Debug)]
pub(crate) struct TemporaryDirectory {
    directory: TempDir,
    /// The open directory, which is locked until this value is dropped. `None` where directories cannot be opened.
    _lock: Option<File>,
}

impl TemporaryDirectory {
    /// Creates a directory in `directory` that only its owner may enter.
    pub(crate) fn create_in(directory: &Path) -> io::Result<Self> {
        remove_leftovers(directory);
        let mut builder = Builder::new();
        builder.prefix(PREFIX).suffix(DIRECTORY_SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o700));
        }
        loop {
            let created = builder.tempdir_in(directory);
            let created = created.map_err(naming_directory(directory))?;
            if let Some(locked) = Self::lock(created) {
                return Ok(locked);
            }
        }
    }

    /// Locks a new directory. Returns `None` if another process took it for a leftover before it was locked.
    fn lock(directory: TempDir) -> Option<Self> {
        let path = directory.path();
        // Some systems cannot open or lock directories. There, a leftover is recognised by its age.
        let lock = match File::open(path) {
            Ok(opened) => Some(opened),
            Err(error) if error.kind() != io::ErrorKind::NotFound => None,
            Err(_) => return None,
        };
        let is_taken = lock.as_ref().is_some_and(|opened| {
            let locking = Locking::exclusive(opened, path);
            matches!(locking, Ok(Locking::Busy)) || matches!(is_at(opened, path), Ok(false))
        });
        if is_taken {
            // The other process removes the directory.
            drop(directory.keep());
            return None;
        }
        Some(Self {
            directory,
            _lock: lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Creates a file with `make` under a temporary name in `directory`, and returns the name. Dropping the name removes
/// the file that has it.
pub(super) fn temporary_name(
    directory: &Path,
    make: impl FnMut(&Path) -> io::Result<()>,
) -> io::Result<TempPath> {
    let made = builder(0o600).make_in(directory, make);
    Ok(made.map_err(naming_directory(directory))?.into_temp_path())
}

fn builder(mode: u32) -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

/// Locks a temporary file of this process. After a day, another process may take a file without a lock for a leftover.
fn lock(file: &File, path: &Path) {
    if let Err(error) = Locking::exclusive(file, path) {
        tracing::debug!(path = %path.display(), %error, "the temporary file is not locked");
    }
}

/// Unlocks a file that has its final name. Closing it is not enough: the lock lasts while a copy of the descriptor is
/// open.
fn unlock(file: &File) {
    if let Err(error) = file.unlock() {
        tracing::debug!(%error, "the file is not unlocked");
    }
}

/// Gives a file without a name a temporary name. Where the file system cannot do that, the name is given to a copy.
fn named(file: &File, directory: &Path) -> io::Result<TempPath> {
    let linked = builder(0o600).make_in(directory, |path| link(file, path));
    if let Ok(linked) = linked {
        return Ok(linked.into_temp_path());
    }
    let mut copy = builder(0o600).tempfile_in(directory)?;
    let mut original = file;
    io::Seek::seek(&mut original, io::SeekFrom::Start(0))?;
    io::copy(&mut original, copy.as_file_mut())?;
    copy.as_file()
        .set_permissions(file.metadata()?.permissions())?;
    copy.as_file().sync_all()?;
    Ok(copy.into_temp_path())
}

/// Creates a file without a name. Returns `None` where that is not possible, or where the file could not be named
/// later.
#[cfg(target_os = "linux")]
fn nameless(directory: &Path, mode: u32) -> Option<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = rustix::fs::open(directory, flags, Mode::from_raw_mode(mode)).ok()?;
    let file = File::from(file);
    std::fs::metadata(descriptor(&file)).is_ok().then_some(file)
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Path, _: u32) -> Option<File> {
    None
}

/// Gives a file without a name the name `path`.
#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    Ok(linkat(
        CWD,
        descriptor(file),
        CWD,
        path,
        AtFlags::SYMLINK_FOLLOW,
    )?)
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns the path that leads to an open file (`proc(5)`).
#[cfg(target_os = "linux")]
fn descriptor(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

// Other systems cannot open directories as files.
#[cfg(unix)]
#[cfg(test)]
#[path = "tests/temporary.rs"]
mod tests;
