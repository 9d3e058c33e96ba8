//! The download of a large blob in pieces, over several connections.
//!
//! The first request asks for the first piece instead of the whole blob. Its answer shows whether the endpoint serves
//! ranges, without an extra request. Then several tasks receive the other pieces. Each piece is a [`Download`] with its
//! own attempts, checks and endpoints. The reader gets the pieces in order:
//!
//! ```text
//! handed out | received | on its way | received | on its way | waits for a connection |
//!            ^ reader                                                                 ^ next
//!            |<----------------------- at most AHEAD bytes -------------------------->|
//! ```
//!
//! No piece begins further ahead of the reader than `AHEAD`, so the memory does not depend on the size of the blob. The
//! tasks end when the reader is dropped.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::oci::error::Error;

use super::blob_download::{Body, Download};
use super::buffers::{Buffer, Buffers};

/// The smallest download that uses several connections, in bytes.
const LARGE: u64 = 16 << 20;
/// The most connections. Each connection has its own buffers in addition to the pieces.
const MOST_CONNECTIONS: usize = 8;
/// The smallest piece, in bytes, unless [`AHEAD`] demands smaller ones. Between two pieces a connection
/// is idle for a round trip, or for several when it is redirected.
const SMALLEST_PIECE: u64 = 1 << 20;
/// How far pieces may be ahead of the reader, in bytes. The largest piece is a fourth of this.
const AHEAD: u64 = 8 << 20;

/// A piece that was received, and its download.
type Received = Result<(Bytes, Download), Error>;

/// The rest of a blob, as pieces that are being received.
pub(super) struct Pieces {
    /// The download at the position of the reader, with the current endpoint.
    pub(super) whole: Download,
    /// The pieces in order. The first one is the next for the reader.
    pending: FuturesOrdered<AbortOnDropHandle<Received>>,
    /// The most pieces in `pending`.
    most_pending: usize,
    connections: Arc<Semaphore>,
    buffers: Buffers,
    /// The size of a piece, in bytes.
    size: u64,
    /// The position at which the next piece begins.
    next: u64,
}

impl Pieces {
    /// Returns the size of the pieces for downloading `length` bytes over `connections` connections, in bytes.
    pub(super) fn size(length: u64, connections: usize) -> u64 {
        if length < LARGE || connections < 2 {
            return u64::MAX;
        }
        // The pieces are small enough to give each connection about the same amount of work.
        let even = length.div_ceil(4 * connections as u64).max(SMALLEST_PIECE);
        even.min(AHEAD / at_once(connections) as u64)
    }

    /// Continues the download `whole`, whose first piece is in `body`.
    pub(super) fn new(whole: Download, body: Body, connections: usize) -> Self {
        let mut pieces = Self {
            pending: FuturesOrdered::new(),
            most_pending: at_once(connections),
            connections: Arc::new(Semaphore::new(connections.min(MOST_CONNECTIONS))),
            buffers: Buffers::default(),
            size: whole.request_size,
            next: body.end,
            whole,
        };
        let first = pieces.whole.position..body.end;
        pieces.begin(first, Some(body));
        pieces
    }

    /// Returns the next piece, or `None` when the download is complete. After an error, it may be possible to download
    /// the rest over one connection ([`Download::continue_alone`]).
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        while self.next < self.whole.end && self.pending.len() < self.most_pending {
            let end = self.whole.end.min(self.next + self.size);
            self.begin(self.next..end, None);
            self.next = end;
        }
        let Some(received) = self.pending.next().await else {
            return Ok(None);
        };
        let (bytes, piece) = received.map_err(|source| Error::Cancelled {
            source: source.into(),
        })??;
        self.whole.add_piece(&bytes, piece);
        Ok(Some(bytes))
    }

    fn begin(&mut self, range: Range<u64>, body: Option<Body>) {
        let piece = self.whole.piece(range);
        let (connections, buffers) = (Arc::clone(&self.connections), self.buffers.clone());
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let receiving = async move {
            // The semaphore is never closed.
            let _connection = connections.acquire_owned().await.ok();
            receive(piece, body, buffers.take(size)).await
        };
        let task = tokio::spawn(receiving.in_current_span());
        self.pending.push_back(AbortOnDropHandle::new(task));
    }
}

/// Returns how many pieces are received at once. There are more pieces than connections, so that a slow piece does not
/// stop the other connections.
fn at_once(connections: usize) -> usize {
    connections.min(MOST_CONNECTIONS) + 2
}

/// Receives a piece into one buffer. Keeping the many small chunks of a server instead would take several times as much
/// memory.
async fn receive(mut piece: Download, body: Option<Body>, mut buffer: Buffer) -> Received {
    let mut body = match body {
        Some(body) => body,
        None => piece.connect().await?,
    };
    while let Some((chunk, rest)) = piece.next(body).await? {
        buffer.extend(&chunk);
        body = rest;
    }
    Ok((buffer.into_bytes(), piece))
}

#[cfg(test)]
#[path = "tests/pieces.rs"]
mod tests;
