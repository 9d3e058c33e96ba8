//! Hints for files that cannot be read or written.

use std::io::{Error, ErrorKind};

/// Returns a hint if the path names something other than a regular file.
pub(super) fn file_hint(error: &Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::IsADirectory => Some("name a file, not a directory"),
        ErrorKind::InvalidInput => Some("name a file, not a device or a pipe"),
        _ => None,
    }
}
