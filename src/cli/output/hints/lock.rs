//! Hints for errors of lock files.

use std::io::ErrorKind;

use crate::client::LockError;

/// Returns what the user can do about an error of a lock file.
pub(super) fn lock_hint(error: &LockError) -> Option<&'static str> {
    match error {
        LockError::NotLocked { .. } => {
            Some("if it is meant to run, add it to the deployment, and lock that with `par lock`")
        }
        LockError::OtherPublisher { .. } | LockError::OtherRevision { .. } => {
            Some("run `par lock` again, and check what changes: the lock file was edited by hand")
        }
        LockError::Read { source, .. } if source.kind() == ErrorKind::NotFound => Some(
            "make a lock file with `par lock FILE`, where FILE is a list of references or a wadm manifest",
        ),
        LockError::Malformed { .. } => Some("restore it, or remove it and run `par lock`"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests/lock.rs"]
mod tests;
