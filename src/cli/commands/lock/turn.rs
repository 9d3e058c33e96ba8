//! Locking the directory of a lock file, so that processes change the file one after the other.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::content::{directory_of, followed, try_lock_directory};

/// How long a process waits for its turn. A turn takes milliseconds. If the directory stays locked for longer, another
/// program has locked it for its own purpose, such as `flock . par lock FILE`.
const WAIT: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(10);

/// Locks the directory of the file that `path` leads to, so that processes change the file one after the other. Returns
/// `None` if the directory cannot be locked, or if it stays locked for ten seconds. Blocks.
pub(super) fn take_turn(path: &Path) -> Option<File> {
    let target = followed(path).ok()?;
    let started = Instant::now();
    loop {
        match try_lock_directory(directory_of(&target)) {
            Ok(directory) => return Some(directory),
            Err(error) if error.kind() != ErrorKind::WouldBlock || started.elapsed() >= WAIT => {
                tracing::debug!(%error, "the directory of the lock file is not locked");
                return None;
            }
            Err(_) => thread::sleep(RETRY),
        }
    }
}
