//! Unfinished downloads of ranges of blobs.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::content::{Digest, StoreError};

use super::error::Error;
use super::lock::{LockedFile, when_free};
use super::open::Cache;

/// The unfinished download of a range of a blob. No other task writes to its file while this value exists. Dropping
/// this value keeps the file, so that the next task continues the download.
#[derive(Debug)]
pub(crate) struct PartialRange {
    locked: LockedFile,
    received: u64,
}

impl PartialRange {
    /// Returns how many bytes from the start of the range are in the file. They are not verified.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Returns the file with the received bytes. The caller appends the rest. The position of the file is at its start.
    pub(crate) fn file(&self) -> &File {
        &self.locked.file
    }

    pub(crate) fn path(&self) -> &Path {
        &self.locked.path
    }

    /// Removes the file, because it is no longer needed or cannot be used.
    pub(crate) fn discard(self) -> io::Result<()> {
        self.locked.remove()
    }
}

impl Cache {
    /// Opens the unfinished download of the bytes `range` of `blob`. Waits while another task receives them.
    pub(crate) async fn partial_range(
        &self,
        blob: &Digest,
        range: &Range<u64>,
    ) -> Result<PartialRange, StoreError> {
        let Range { start, end } = range;
        let name = Digest::of(format!("{blob} {start}-{end}").as_bytes());
        let path = self.paths.partial(&name);
        let length = end.saturating_sub(*start);
        let cache = self.clone();
        let opened = when_free(move || {
            cache.paths.make_way(&path)?;
            let locked = LockedFile::try_open(&path).map_err(Error::file(&path))??;
            let received = received(&locked.file, length).map_err(Error::file(&path))?;
            Ok(PartialRange { locked, received })
        });
        Ok(opened.await?)
    }
}

/// Returns how many bytes of a range of `length` bytes are in `file`. Empties a file that is longer than the range.
fn received(file: &File, length: u64) -> io::Result<u64> {
    let received = file.metadata()?.len();
    if received > length {
        file.set_len(0)?;
        return Ok(0);
    }
    Ok(received)
}

#[cfg(test)]
#[path = "tests/ranges.rs"]
mod tests;
