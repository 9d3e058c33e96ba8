//! Reading with a bound on the size.

use std::io::{self, Read};
use std::path::Path;

use super::regular::open_regular;

/// Content has more bytes than its reader allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum TooLarge {
    /// The size of a stream is unknown: reading stopped at the limit.
    #[error("more than {limit} bytes, which is the limit")]
    Stream { limit: u64 },
    /// A file's size is known before it is read.
    #[error("{size} bytes, more than the limit of {limit} bytes")]
    File { size: u64, limit: u64 },
}

impl From<TooLarge> for io::Error {
    fn from(error: TooLarge) -> Self {
        // Not `io::ErrorKind::FileTooLarge`, which the system reports for a file that cannot grow.
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Reads all of `reader`. When it gives more than `limit` bytes, [`is_too_large`] holds for the error.
pub(crate) fn read_bounded(mut reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    read(&mut reader, limit)
}

/// Reads as [`read_bounded`] does. It is compiled once, and not for each type of a reader.
fn read(reader: &mut dyn Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(TooLarge::Stream { limit }.into());
    }
    Ok(bytes)
}

/// Reads all of the regular file at `path`. When it has more than `limit` bytes, [`is_too_large`] holds for the
/// error.
pub(crate) fn read_file_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (file, size) = open_regular(path)?;
    if size > limit {
        return Err(TooLarge::File { size, limit }.into());
    }
    read_bounded(file, limit)
}

/// Whether a bounded read failed because there are more bytes than its limit.
pub(crate) fn is_too_large(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<TooLarge>())
}

#[cfg(test)]
#[path = "tests/bounded.rs"]
mod tests;
