//! Locks on files, also where the file system has none.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Once;

use super::directory::directory_of;

/// The outcome of an attempt to lock a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locking {
    /// The file is locked until it is closed.
    Locked,
    /// Another task or process has locked the file.
    Busy,
    /// The file system has no locks, or none for a file that is opened in this mode. No task or process can lock the
    /// file.
    Unsupported,
}

impl Locking {
    /// Tries to lock `file`, which is at `path`, for this task alone.
    pub(crate) fn exclusive(file: &File, path: &Path) -> io::Result<Self> {
        Self::of(file.try_lock(), path)
    }

    /// Tries to lock `file`, which is at `path`, together with other tasks that read it.
    pub(crate) fn shared(file: &File, path: &Path) -> io::Result<Self> {
        Self::of(file.try_lock_shared(), path)
    }

    /// Turns this task's exclusive lock on `file`, which is at `path`, into a shared lock. Blocks.
    pub(crate) fn share(file: &File, path: &Path) -> io::Result<Self> {
        match file.unlock().and_then(|()| file.lock_shared()) {
            Ok(()) => Ok(Self::Locked),
            Err(error) => Self::of(Err(TryLockError::Error(error)), path),
        }
    }

    fn of(tried: Result<(), TryLockError>, path: &Path) -> io::Result<Self> {
        match tried {
            Ok(()) => Ok(Self::Locked),
            Err(TryLockError::WouldBlock) => Ok(Self::Busy),
            Err(TryLockError::Error(error)) if lacks_locks(&error) => {
                warn_once(path, &error);
                Ok(Self::Unsupported)
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Waits until no other task has locked `file`, which is at `path`, and locks it. Blocks.
pub(crate) fn locked_when_free(file: &File, path: &Path) -> io::Result<Locking> {
    match file.lock() {
        Ok(()) => Ok(Locking::Locked),
        Err(error) => Locking::of(Err(TryLockError::Error(error)), path),
    }
}

/// Waits until no task has an exclusive lock on `file`, which is at `path`, and locks it together with other readers.
/// Blocks.
pub(crate) fn shared_when_free(file: &File, path: &Path) -> io::Result<Locking> {
    match file.lock_shared() {
        Ok(()) => Ok(Locking::Locked),
        Err(error) => Locking::of(Err(TryLockError::Error(error)), path),
    }
}

/// Whether an error says that the file system has no locks.
fn lacks_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        // NFS answers `BADF` to an exclusive lock on a file that is open for reading only, and some file systems of
        // user space answer `INVAL` to every lock.
        let codes = [
            Errno::NOSYS,
            Errno::NOLCK,
            Errno::OPNOTSUPP,
            Errno::NOTSUP,
            Errno::BADF,
            Errno::INVAL,
        ];
        let code = error.raw_os_error();
        codes.iter().any(|known| code == Some(known.raw_os_error()))
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::Unsupported
    }
}

/// Warns once in each process that a file system has no locks. The file systems that a process uses seldom differ in
/// this.
fn warn_once(path: &Path, error: &io::Error) {
    static WARNED: Once = Once::new();
    let directory = directory_of(path).display();
    WARNED.call_once(|| {
        tracing::warn!(
            "the file system of {directory} cannot lock files ({error}): processes that use the same files at the \
             same time may do work twice"
        );
    });
    tracing::debug!(path = %path.display(), %error, "the file is not locked");
}

#[cfg(test)]
#[path = "tests/locks.rs"]
mod tests;
