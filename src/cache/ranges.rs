//! A part of a blob on its way: received once, whoever asks at the same time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::content::{Digest, StoreError};

use super::Cache;
use super::blobs::{blocking, discard};

/// How long is waited before looking again whether somebody else is done; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_millis(200);

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

    /// Removes it: nobody will need it any more, or it is of no use.
    pub(crate) fn discard(self) -> io::Result<()> {
        discard(&self.path, &self.file)
    }
}

impl Cache {
    /// Where the bytes `range` of `blob` are to be received. Waits for whoever is receiving them now.
    ///
    /// Waiting takes no thread: all that a runtime has for blocking work could be waiting for the one
    /// that is to receive.
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
        let mut wait = FIRST_WAIT;
        loop {
            let opened = blocking(&path, move |path| {
                let mut options = OpenOptions::new();
                let options = options.read(true).write(true).create(true);
                let file = options.truncate(false).open(path)?;
                match file.try_lock() {
                    Ok(()) => {}
                    Err(TryLockError::WouldBlock) => return Ok(None),
                    Err(TryLockError::Error(error)) => return Err(error),
                }
                let mut received = file.metadata()?.len();
                if received > length {
                    file.set_len(0)?;
                    received = 0;
                }
                Ok(Some((file, received)))
            });
            if let Some((file, received)) = opened.await? {
                return Ok(PartialRange {
                    path,
                    file,
                    received,
                });
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

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
