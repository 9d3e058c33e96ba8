//! Noticing that a task or a process wants to lock a file that is locked.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

/// Watches a locked file of the cache for attempts to lock it.
///
/// A task that finds the file locked closes it, and tries again later. The task that has the lock keeps the file open, so
/// it causes no event.
pub(crate) struct LockAttempts(File);

impl LockAttempts {
    /// Watches the file at `path`, which is locked, from now on.
    pub(crate) fn at(path: &Path) -> Self {
        let events = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&events, path, WatchFlags::CLOSE_WRITE).unwrap();
        Self(File::from(events))
    }

    /// Returns whether an attempt has failed since this function last returned `true`.
    pub(crate) fn has_failed(&self) -> bool {
        // Without an event, reading fails instead of waiting.
        (&self.0)
            .read(&mut [0; 4096])
            .is_ok_and(|length| length > 0)
    }
}
