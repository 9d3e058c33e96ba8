//! Unfinished downloads of ranges of blobs.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::content::{Digest, StoreError};

use super::error::Error;
use super::lock::{Busy, LockedFile};
use super::open::Cache;
use super::waiting::when_free;

/// The unfinished download of a range of a blob. No other task writes to its file while this value lives.
/// Dropping it keeps the file, so that the next task continues the download.
#[derive(Debug)]
pub(crate) struct PartialRange {
    locked: LockedFile,
    received: u64,
}

impl PartialRange {
    /// Returns how many bytes, from the start of the range, are in the file. They are not verified.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Returns the file with the received bytes, to which the rest is appended. Its position is at its start.
    pub(crate) fn file(&self) -> &File {
        self.locked.file()
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        self.locked.path()
    }

    /// Removes the file, which is not needed any more or is of no use.
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
        self.paths.create_parent(&path)?;
        let length = end.saturating_sub(*start);
        let opened = when_free(move || Ok(open(&path, length).map_err(Error::file(&path))??));
        Ok(opened.await?)
    }
}

/// Opens the download at `path` of a range of `length` bytes. A longer file than that is emptied.
fn open(path: &Path, length: u64) -> io::Result<Result<PartialRange, Busy>> {
    let locked = match LockedFile::try_open(path)? {
        Ok(locked) => locked,
        Err(busy) => return Ok(Err(busy)),
    };
    let mut received = locked.file().metadata()?.len();
    if received > length {
        locked.file().set_len(0)?;
        received = 0;
    }
    Ok(Ok(PartialRange { locked, received }))
}

#[cfg(test)]
#[path = "tests/ranges.rs"]
mod tests;
