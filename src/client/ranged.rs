//! One executable by itself, without the archive it is in.

use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::PathBuf;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::future::join;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::archive::{Index, IndexEntry, Target, write_executable};
use crate::cache::{self, Cache, Executable, PartialRange, Slot};
use crate::content::{Digest, ErrorKind, Meter, ReadStorage, Silent};
use crate::oci::Reference;

use super::Client;
use super::artifact::Found;
use super::blocking::Input;
use super::error::Error;
use super::fetch::Fetched;
use super::remote::{Remote, whole_instead};

/// Up to this size an archive is as soon there as a part of it, in bytes.
const SMALL: u64 = 64 * 1024;
/// How many pieces of how many bytes wait to be inflated.
const WAITING: usize = 8;
const PIECE: usize = 128 * 1024;

impl Client {
    /// Fetches by what is known of the archive without downloading it: from the cache, by the hash that
    /// is signed, or else by downloading the bytes of this one executable.
    ///
    /// `None` when something is in the way: reading the whole archive finds out what, or gets round it.
    pub(super) async fn fetch_by_range(
        &self,
        store: &dyn ReadStorage,
        found: &Found,
        reference: &Reference,
        target: &Target,
    ) -> Result<Option<Fetched>, Error> {
        let artifact = &found.artifact;
        if self.missing(artifact).await? == 0 {
            // The archive itself is there, and says more than anything about it.
            return Ok(None);
        }
        let Some(remote) = self.remote(store, artifact, reference).await? else {
            return Ok(None);
        };
        self.ask_trust(reference, &remote.claims).await?;
        let hash = remote
            .claims
            .executable(target)
            .map_err(|source| Error::unusable(&reference.to_string(), source))?;
        // Under the name of a signed hash there is nothing but what has that hash.
        let (path, downloaded) = match self.cache()?.executable_or_slot(hash).await? {
            Executable::Ready(path) => (path, None),
            Executable::Missing(slot) => {
                let received = self.receive(store, &remote, reference, target, hash, slot);
                match received.await? {
                    Some((path, downloaded)) => (path, Some(downloaded)),
                    None => return Ok(None),
                }
            }
        };
        self.pin(reference, &remote.claims).await?;
        self.record(found.confirmed.clone(), remote.head).await;
        Ok(Some(Fetched {
            path,
            digest: artifact.descriptor().digest.clone(),
            cached: downloaded.is_none(),
            downloaded: remote.downloaded + downloaded.unwrap_or_default(),
            claims: remote.claims,
        }))
    }

    /// Downloads the bytes of one executable, and gives its path and how many bytes that took.
    async fn receive(
        &self,
        store: &dyn ReadStorage,
        remote: &Remote,
        reference: &Reference,
        target: &Target,
        hash: &Digest,
        slot: Slot,
    ) -> Result<Option<(PathBuf, u64)>, Error> {
        let layer = &remote.layer;
        if layer.size <= SMALL {
            return Ok(whole_instead(reference, "it is small"));
        }
        let Some((index, entry)) = find(remote, target) else {
            return Ok(whole_instead(reference, "it has no index with this target"));
        };
        // Something always follows: the end of the tar, and of the gzip member.
        if !entry.is_within(self.limits.executable, &self.limits) || entry.range.end >= layer.size {
            return Ok(whole_instead(reference, "its index makes no sense"));
        }
        let range = entry.range.clone();
        let partial = self.cache()?.partial_range(&layer.digest, &range).await?;
        let start = range.start + partial.received();
        let length = range.end - range.start;
        let (sender, receiver) = channel(WAITING);
        let expected = hash.clone();
        let inflating = self.on_own_thread("inflating", Input::Ours, move |client| {
            let meter = client.progress.begin("downloading", length);
            let mut incoming = Incoming::new(partial, receiver, meter);
            let content = index.read(&entry, &mut incoming);
            let (path, mode) = (slot.destination(), Cache::EXECUTABLE_MODE);
            let written = write_executable(content, &Silent, &expected, path, mode);
            let partial = incoming.partial;
            let written = match incoming.failed {
                Some(error) => Err(error.into()),
                None => written.map_err(|error| Error::from(error).in_cache()),
            };
            match written {
                // All of it here: who waits may be gone by now.
                Ok(true) => {
                    discard(partial);
                    Ok(Inflated::Executable(slot.fill()?))
                }
                Ok(false) => Ok(Inflated::Other(partial)),
                Err(error) => {
                    // There is no room to continue it, either.
                    if matches!(&error, Error::Cache(error) if error.is_full()) {
                        discard(partial);
                    }
                    Err(error)
                }
            }
        });
        let sending = self.send(store, remote, start..range.end, sender);
        let (sent, inflated) = join(sending, inflating).await;
        let partial = match inflated? {
            Inflated::Executable(path) => return Ok(Some((path, range.end - start))),
            Inflated::Other(partial) => partial,
        };
        let reason = match sent {
            // What has come so far is continued by who comes next.
            Err(error) if error.kind() == ErrorKind::Unavailable => return Err(error),
            Err(error) => error.to_string(),
            Ok(()) => "what its index leads to is not what was signed".to_owned(),
        };
        discard(partial);
        Ok(whole_instead(reference, &reason))
    }

    /// Downloads a part of the archive, piece by piece, for as long as anybody wants them.
    async fn send(
        &self,
        store: &dyn ReadStorage,
        remote: &Remote,
        range: Range<u64>,
        pieces: Sender<Bytes>,
    ) -> Result<(), Error> {
        let layer = &remote.layer;
        let length = range.end - range.start;
        let reader = store.open(layer, Some(range)).await?;
        let mut reader = reader.take(length);
        loop {
            let mut piece = BytesMut::with_capacity(PIECE);
            match reader.read_buf(&mut piece).await {
                Ok(0) => return Ok(()),
                Ok(_) if pieces.send(piece.freeze()).await.is_ok() => {}
                // It turned out to be something else, or is complete.
                Ok(_) => return Ok(()),
                Err(source) => {
                    let digest = layer.digest.clone();
                    return Err(cache::Error::Receive { digest, source }.into());
                }
            }
        }
    }
}

fn find(remote: &Remote, target: &Target) -> Option<(Index, IndexEntry)> {
    let index = remote.index.clone()?;
    let entry = index.executable(target)?.clone();
    Some((index, entry))
}

/// What the bytes of a range came to.
enum Inflated {
    /// The executable, at its path in the cache.
    Executable(PathBuf),
    /// Something else, or not all of it.
    Other(PartialRange),
}

/// A file that is left costs some space, and nobody is served from it.
fn discard(partial: PartialRange) {
    if let Err(error) = partial.discard() {
        tracing::warn!("an unfinished download cannot be removed: {error}");
    }
}

/// The bytes of a range: those that were received before, then those that come, which are kept.
struct Incoming {
    partial: PartialRange,
    /// How many of those that were received before are still to be read.
    before: u64,
    pieces: Receiver<Bytes>,
    piece: Bytes,
    meter: Box<dyn Meter>,
    /// Why reading ended: the disk failed, or the meter stopped it. That tells nothing about the bytes.
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
        if self.before > 0 {
            let count = file.take(self.before).read(buffer)?;
            self.before = match count {
                0 => 0,
                count => self.before - count as u64,
            };
            if count > 0 {
                return Ok(count);
            }
        }
        if self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => {
                    file.write_all(&piece)?;
                    self.piece = piece;
                }
                None => return Ok(0),
            }
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
