//! The stream of a tar, once inflated: bounded, and read to its very end.

use std::io::{self, Read};

use super::error::Error;
use super::gzip::Tar;
use super::limits::Limits;

/// The unit of a tar, in bytes.
pub(super) const BLOCK: u64 = 512;

/// Counts the bytes of the tar and stops at the bounds: of all there is, and of what the compressed
/// bytes up to there may stand for.
pub(super) struct TarStream<'l, R> {
    inner: Tar<R>,
    read: u64,
    limits: &'l Limits,
}

#[derive(Debug, thiserror::Error)]
#[error("more than {limit} {what}")]
struct Exceeded {
    what: &'static str,
    limit: u64,
}

impl<'l, R: Read> TarStream<'l, R> {
    pub(super) fn new(inner: Tar<R>, limits: &'l Limits) -> Self {
        Self {
            inner,
            read: 0,
            limits,
        }
    }

    /// Ends reading: behind the last entry, which ends at `end`, there is the end marker, and behind
    /// that nothing.
    pub(super) fn finish(mut self, end: u64) -> Result<(), Error> {
        self.expect_end(end)?;
        self.inner.finish()
    }

    /// Behind the last entry, which ends at `end`: two blocks of zeros at least (POSIX `pax`, "ustar
    /// Interchange Format"), and nothing but zeros.
    fn expect_end(&mut self, end: u64) -> Result<(), Error> {
        // The tar reader stops at the first block of zeros.
        let mut zeros = self.read.saturating_sub(end);
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let count = self.read_some(&mut buffer).map_err(tar_error)?;
            let bytes = buffer.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            if bytes.iter().any(|byte| *byte != 0) {
                return Err(Error::TrailingData);
            }
            zeros += count as u64;
        }
        if zeros < 2 * BLOCK {
            return Err(Error::Truncated("the end marker"));
        }
        Ok(())
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read += count as u64;
        if self.read > self.limits.total {
            return Err(io::Error::other(Exceeded {
                what: "bytes when inflated",
                limit: self.limits.total,
            }));
        }
        let compressed = self.inner.compressed();
        if compressed.is_some_and(|bytes| !self.limits.allow_expansion(bytes, self.read)) {
            return Err(io::Error::other(Exceeded {
                what: "bytes for each compressed byte",
                limit: self.limits.ratio,
            }));
        }
        Ok(count)
    }
}

impl<R: Read> Read for TarStream<'_, R> {
    /// The tar reader asks for nothing behind the end marker, so where the data ends, it is missing.
    /// Left to itself, that reader takes such an end for the end of the archive, or for other damage.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.read_some(buffer)? {
            0 if !buffer.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

/// As [`tar_error`], for what happens between entries; `first` when there was none yet.
pub(super) fn structure_error(error: io::Error, first: bool) -> Error {
    match tar_error(error) {
        Error::Truncated(_) => Error::Truncated("the tar"),
        Error::DamagedTar(_) if first => {
            Error::NotAnArchive("it does not begin with the header of a tar")
        }
        other => other,
    }
}

/// The tar reader reports damage of the gzip data and of the tar alike as an input error.
pub(super) fn tar_error(error: io::Error) -> Error {
    if let Some(exceeded) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Exceeded>())
    {
        return Error::TooLarge {
            what: exceeded.what,
            limit: exceeded.limit,
        };
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Truncated("an entry"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Error::DamagedGzip(error),
        kind => {
            // What follows the colon is bytes of the archive, whoever wrote them.
            let text = error.to_string();
            let reason = text.split(':').next().unwrap_or_default();
            Error::DamagedTar(io::Error::new(kind, reason.to_owned()))
        }
    }
}
