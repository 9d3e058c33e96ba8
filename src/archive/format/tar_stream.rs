//! The inflated stream of a tar. It is bounded, and it is read up to its last byte.

use std::io::{self, Read, Seek, SeekFrom};

use crate::archive::error::Error;
use crate::archive::limits::Limits;

use super::gzip::TarSource;

/// The size of a block of a tar, in bytes.
pub(in crate::archive) const BLOCK: u64 = 512;

/// The most zeros at the end of a tar, in bytes. The format requires two blocks. The program `tar` writes zeros up to
/// the end of a record of 10 KiB, or of the size in its options.
const PADDING: u64 = 1024 * 1024;

/// Counts the bytes of the tar. Reading fails when the size of the tar, or its ratio to the compressed bytes, exceeds
/// the limit.
pub(in crate::archive) struct TarStream<'l, R> {
    inner: R,
    /// The position in the tar. It includes skipped bytes.
    read: u64,
    limits: &'l Limits,
}

impl<'l, R: TarSource> TarStream<'l, R> {
    pub(in crate::archive) fn new(inner: R, limits: &'l Limits) -> Self {
        Self {
            inner,
            read: 0,
            limits,
        }
    }

    /// Reads to the end and returns the inner reader. The last entry ends at `end`. At least two blocks of zeros (POSIX
    /// `pax`, "ustar Interchange Format"), and nothing else, must follow it.
    pub(in crate::archive) fn finish(mut self, end: u64) -> Result<R, Error> {
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
            if zeros > PADDING {
                return Err(Error::TooLarge {
                    what: "zeros after the last entry",
                    limit: PADDING,
                });
            }
        }
        if zeros < 2 * BLOCK {
            return Err(Error::Truncated("the end marker"));
        }
        Ok(self.inner)
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count(count as u64)?;
        Ok(count)
    }

    fn count(&mut self, bytes: u64) -> io::Result<()> {
        self.read = self.read.saturating_add(bytes);
        if self.read > self.limits.total {
            return Err(io::Error::other(Error::TooLarge {
                what: "bytes when inflated",
                limit: self.limits.total,
            }));
        }
        let compressed = self.inner.compressed();
        if compressed.is_some_and(|bytes| !self.limits.allow_expansion(bytes, self.read)) {
            return Err(io::Error::other(self.limits.too_much_expansion()));
        }
        Ok(())
    }
}

impl<R: TarSource + Seek> Seek for TarStream<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = self.inner.seek(to)?;
        self.count(position.saturating_sub(self.read))?;
        Ok(position)
    }
}

impl<R: TarSource> Read for TarStream<'_, R> {
    /// Reads bytes of the tar. The end of the data is an error, because the tar reader never reads beyond the end
    /// marker. Without the error, it would take truncated data for the end of the archive.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.read_some(buffer)? {
            0 if !buffer.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

/// Converts an error of the tar reader between two entries, or before the first one.
pub(in crate::archive) fn structure_error(error: io::Error, first: bool) -> Error {
    match tar_error(error) {
        Error::Truncated(_) => Error::Truncated("the tar"),
        Error::DamagedTar(_) if first => {
            Error::NotAnArchive("it does not begin with the header of a tar")
        }
        other => other,
    }
}

/// Converts an error of the tar reader. That reader reports damage of the gzip data and damage of the tar in the same
/// way.
pub(in crate::archive) fn tar_error(error: io::Error) -> Error {
    let error = match error.downcast() {
        Ok(bound) => return bound,
        Err(other) => other,
    };
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Truncated("an entry"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Error::DamagedGzip(error),
        kind => {
            // The text after a colon may contain bytes of the archive. They are not trusted, so they are left out.
            let text = error.to_string();
            let reason = text.split(':').next().unwrap_or_default();
            Error::DamagedTar(io::Error::new(kind, reason.to_owned()))
        }
    }
}
