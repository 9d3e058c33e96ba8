//! Downloading one executable without the rest of its archive.

use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::PathBuf;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::future::join;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::archive::{Index, IndexEntry, Target, write_executable};
use crate::cache::{self, Cache, PartialRange, Slot};
use crate::content::{Digest, ErrorKind, Meter, Silent, Step};

use super::blocking::Input;
use super::error::Error;
use super::lookup::{Lookup, Preview};

/// The largest archive, in bytes, that is downloaded whole: a part of it would not arrive earlier.
const SMALL: u64 = 64 * 1024;
/// How many downloaded pieces can wait to be inflated.
const WAITING: usize = 8;
/// The size of a piece in bytes.
const PIECE: usize = 128 * 1024;

/// The download of one executable without the rest of its archive.
pub(super) struct ExecutableDownload<'a> {
    pub(super) lookup: &'a Lookup,
    pub(super) preview: &'a Preview,
    pub(super) target: &'a Target,
    /// The hash of the executable in the signed claims.
    pub(super) hash: &'a Digest,
}

impl ExecutableDownload<'_> {
    /// Downloads the bytes of the executable into `slot`. Returns its path and how many bytes were downloaded. Returns
    /// `None` when the whole archive has to be read.
    pub(super) async fn run(self, slot: Slot) -> Result<Option<(PathBuf, u64)>, Error> {
        let (lookup, client) = (self.lookup, self.lookup.client());
        let layer = &self.preview.layer;
        if layer.size <= SMALL {
            return Ok(lookup.fall_back("it is small"));
        }
        let Some((index, entry)) = self.find() else {
            return Ok(lookup.fall_back("it has no index with this target"));
        };
        // The range ends before the archive does: the end of the tar and of the gzip member follow.
        let limits = &client.limits;
        if !entry.is_within(limits.executable, limits) || entry.range.end >= layer.size {
            return Ok(lookup.fall_back("its index is malformed"));
        }
        let range = entry.range.clone();
        let length = range.end - range.start;
        let partial = client.cache()?.partial_range(&layer.digest, &range).await?;
        let start = range.start + partial.received();
        let (sender, receiver) = channel(WAITING);
        let hash = self.hash.clone();
        let inflating = client.on_own_thread("inflating", Input::Ours, move |client| {
            let meter = client.progress.begin(Step::Downloading, length);
            let mut incoming = Incoming::new(partial, receiver, meter);
            let content = index.read(&entry, &mut incoming);
            let (path, mode) = (slot.destination(), Cache::EXECUTABLE_MODE);
            let written = write_executable(content, &Silent, &hash, path, mode);
            let partial = incoming.partial;
            let written = match incoming.failed {
                Some(error) => Err(error.into()),
                None => written.map_err(|error| Error::from(error).in_cache()),
            };
            match written {
                // This thread, and not the future, fills the slot: the future may have been dropped by now.
                Ok(true) => {
                    discard(partial);
                    Ok(Inflated::Executable(slot.fill()?))
                }
                Ok(false) => Ok(Inflated::Other(partial)),
                Err(error) => {
                    // On a full disk, the partial download could not be continued, and its bytes are needed elsewhere.
                    if matches!(&error, Error::Cache(error) if error.is_full()) {
                        discard(partial);
                    }
                    Err(error)
                }
            }
        });
        let sending = self.send(start..range.end, sender);
        let (sent, inflated) = join(sending, inflating).await;
        let partial = match inflated? {
            Inflated::Executable(path) => return Ok(Some((path, length))),
            Inflated::Other(partial) => partial,
        };
        use ErrorKind::{Denied, NotFound, Unavailable};
        let reason = match sent {
            // The next fetch continues the partial download.
            Err(error) if error.kind() == Unavailable => return Err(error),
            Err(error) if matches!(error.kind(), Denied | NotFound) => error.to_string(),
            Err(error) => {
                discard(partial);
                error.to_string()
            }
            Ok(()) => {
                discard(partial);
                "the bytes at its index are not the signed executable".to_owned()
            }
        };
        Ok(lookup.fall_back(&reason))
    }

    /// Returns the index of the archive and the entry for the target.
    fn find(&self) -> Option<(Index, IndexEntry)> {
        let index = self.preview.index.clone()?;
        let entry = index.executable(self.target)?.clone();
        Some((index, entry))
    }

    /// Downloads a part of the archive, piece by piece, until the receiver is dropped.
    async fn send(&self, range: Range<u64>, pieces: Sender<Bytes>) -> Result<(), Error> {
        let layer = &self.preview.layer;
        let length = range.end - range.start;
        let reader = self.lookup.store().open(layer, Some(range)).await?;
        let mut reader = reader.take(length);
        loop {
            let mut piece = BytesMut::with_capacity(PIECE);
            match reader.read_buf(&mut piece).await {
                Ok(0) => return Ok(()),
                Ok(_) if pieces.send(piece.freeze()).await.is_ok() => {}
                // The receiver has the executable, or has found that the bytes are wrong.
                Ok(_) => return Ok(()),
                Err(source) => {
                    let digest = layer.digest.clone();
                    return Err(cache::Error::Receive { digest, source }.into());
                }
            }
        }
    }
}

/// The result of inflating the bytes of a range.
enum Inflated {
    /// The executable, at its path in the cache.
    Executable(PathBuf),
    /// Other bytes, or only a part of the executable.
    Other(PartialRange),
}

/// Removes a partial download. A failure is only logged: the file takes some space, and is never served.
fn discard(partial: PartialRange) {
    if let Err(error) = partial.discard() {
        tracing::warn!("cannot remove a partial download: {error}");
    }
}

/// The bytes of a range: first the bytes of the partial download, and then the bytes that arrive, which are appended to
/// the file.
struct Incoming {
    partial: PartialRange,
    /// How many bytes of the partial download are still to be read.
    before: u64,
    pieces: Receiver<Bytes>,
    piece: Bytes,
    meter: Box<dyn Meter>,
    /// Why reading ended early: the disk failed, or the meter stopped it. The bytes may be good then.
    failed: Option<cache::Error>,
}

impl Incoming {
    fn new(partial: PartialRange, pieces: Receiver<Bytes>, meter: Box<dyn Meter>) -> Self {
        Self {
            before: partial.received(),
            partial,
            pieces,
            piece: Bytes::new(),
            meter,
            failed: None,
        }
    }

    fn next(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.partial.file();
        let count = file.take(self.before).read(buffer)?;
        self.before = self.before.saturating_sub(count as u64);
        if count > 0 {
            return Ok(count);
        }
        self.before = 0;
        if self.piece.is_empty() {
            let Some(piece) = self.pieces.blocking_recv() else {
                return Ok(0);
            };
            file.write_all(&piece)?;
            self.piece = piece;
        }
        let count = self.piece.len().min(buffer.len());
        self.piece
            .copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.next(buffer).and_then(|count| {
            self.meter.advance(count as u64)?;
            Ok(count)
        });
        read.map_err(|source| {
            let path = self.partial.path().to_owned();
            self.failed = Some(cache::Error::File { path, source });
            io::Error::other("the bytes cannot be kept")
        })
    }
}
