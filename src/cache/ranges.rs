//! A part of a blob on its way: received once, whoever asks at the same time.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::content::{Digest, StoreError};

use super::Cache;
use super::blobs::discard;
use super::error::Error;
use super::lock::try_open_locked;
use super::waiting::{Obstacle, when_free};

/// What has been received of a part of a blob. Nobody else writes to it for as long as this is there.
/// Dropped, it stays for the next one to continue.
#[derive(Debug)]
pub(crate) struct PartialRange {
    path: PathBuf,
    file: File,
    received: u64,
}

impl PartialRange {
    /// How many bytes from the start of the range are there. They are not verified.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// The file with what was received, which the rest is appended to. It stands at its start.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Where that file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it: nobody will need it any more, or it is of no use.
    pub(crate) fn discard(self) -> io::Result<()> {
        discard(&self.path, &self.file)
    }
}

impl Cache {
    /// Where the bytes `range` of `blob` are to be received. Waits for whoever is receiving them now.
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
        Ok(when_free(move || open(&path, length)?.ok_or(Obstacle::Busy)).await?)
    }
}

/// What there is at `path` of a range of so many bytes. `None` while somebody else is receiving it.
fn open(path: &Path, length: u64) -> Result<Option<PartialRange>, Error> {
    let opened = || {
        let Some(file) = try_open_locked(path)? else {
            return Ok(None);
        };
        let mut received = file.metadata()?.len();
        if received > length {
            file.set_len(0)?;
            received = 0;
        }
        Ok(Some(PartialRange {
            path: path.to_owned(),
            file,
            received,
        }))
    };
    opened().map_err(Error::file(path))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_receives_and_the_next_one_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(folder.path())).unwrap();
        let blob = Digest::of(b"blob");
        let first = cache.partial_range(&blob, &(5..15)).await.unwrap();
        assert_eq!(first.received(), 0);
        { first.file() }.write_all(b"0123").unwrap();
        let other = cache.partial_range(&blob, &(5..16)).await.unwrap();
        other.discard().unwrap();

        let waiting = cache.partial_range(&blob, &(5..15));
        let mut waiting = std::pin::pin!(waiting);
        let early = tokio::time::timeout(Duration::from_millis(50), waiting.as_mut()).await;
        assert!(early.is_err());
        drop(first);

        let second = waiting.await.unwrap();
        assert_eq!(second.received(), 4);
        { second.file() }.write_all(b"01234567890").unwrap();
        drop(second);
        let third = cache.partial_range(&blob, &(5..15)).await.unwrap();
        assert_eq!(third.received(), 0, "what is too long is nothing");
        third.discard().unwrap();
        let left = std::fs::read_dir(cache.directory().join("partial/sha256")).unwrap();
        assert_eq!(left.count(), 0);
    }
}
