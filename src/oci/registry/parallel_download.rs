//! A large blob in pieces, over several connections.
//!
//! The first request asks for the first piece instead of everything: its answer tells whether there are
//! ranges to be had, and costs nothing extra. From then on tasks receive pieces, each as a [`Download`] with
//! the attempts, checks and hosts that any download has, and the reader gets them in order:
//!
//! ```text
//! handed out | received | on its way | received | on its way | waits for a connection |
//!            ^ reader                                                                 ^ next
//!            |<----------------------- at most AHEAD bytes -------------------------->|
//! ```
//!
//! No piece is begun further ahead of the reader than that, so memory does not depend on the blob. The
//! tasks end with the reader.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::super::error::Error;
use super::download::{Body, Download};
use super::piece_buffers::{Buffer, Buffers};

/// What is smaller than this, in bytes, comes over one connection.
const LARGE: u64 = 16 << 20;
/// The most connections. Each has buffers of its own besides.
const MOST_CONNECTIONS: usize = 8;
/// The smallest piece that is asked for where larger ones would do, in bytes. A connection stands still
/// for a round trip between two pieces, or for several when it is redirected.
const SMALLEST_PIECE: u64 = 1 << 20;
/// How far pieces may be ahead of the reader, in bytes; the largest ones are a fourth of it.
const AHEAD: u64 = 8 << 20;

/// A piece that was received, and how.
type Received = Result<(Bytes, Download), Error>;

/// What is missing of a blob, in pieces on their way in.
pub(super) struct Pieces {
    /// The download as far as the reader is, and which host it is from now.
    whole: Download,
    /// In order; the one that the reader wants comes first.
    coming: FuturesOrdered<AbortOnDropHandle<Received>>,
    /// How many of them there are at most.
    most: usize,
    connections: Arc<Semaphore>,
    buffers: Buffers,
    /// The size of a piece, and where the next one begins.
    size: u64,
    next: u64,
}

impl Pieces {
    /// How many bytes to ask for at once to get `length` bytes over so many connections.
    pub(super) fn size(length: u64, connections: usize) -> u64 {
        if length < LARGE || connections < 2 {
            return u64::MAX;
        }
        // Enough of them that no connection has much more to do than another.
        let even = length.div_ceil(4 * connections as u64).max(SMALLEST_PIECE);
        even.min(AHEAD / at_once(connections) as u64)
    }

    /// Goes on with `whole`, whose first piece is in `body`.
    pub(super) fn new(whole: Download, body: Body, connections: usize) -> Self {
        let mut pieces = Self {
            coming: FuturesOrdered::new(),
            most: at_once(connections),
            connections: Arc::new(Semaphore::new(connections.min(MOST_CONNECTIONS))),
            buffers: Buffers::default(),
            size: whole.at_once,
            next: body.end,
            whole,
        };
        let first = pieces.whole.position..body.end;
        pieces.begin(first, Some(body));
        pieces
    }

    /// The next piece. `None` when everything was there. After [`Error::RangeIgnored`] there may be
    /// another way to what is missing.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        while self.next < self.whole.end && self.coming.len() < self.most {
            let end = self.whole.end.min(self.next + self.size);
            self.begin(self.next..end, None);
            self.next = end;
        }
        let Some(received) = self.coming.next().await else {
            return Ok(None);
        };
        let (bytes, piece) = received.map_err(|source| Error::Cancelled {
            source: source.into(),
        })??;
        self.whole.take(&bytes, piece);
        Ok(Some(bytes))
    }

    /// What the reader has not got yet. Ends all tasks.
    pub(super) fn into_rest(self) -> Download {
        self.whole
    }

    fn begin(&mut self, range: Range<u64>, body: Option<Body>) {
        let piece = self.whole.piece(range);
        let (connections, buffers) = (Arc::clone(&self.connections), self.buffers.clone());
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let receiving = async move {
            // It is never closed.
            let _connection = connections.acquire_owned().await.ok();
            receive(piece, body, buffers.take(size)).await
        };
        let task = tokio::spawn(receiving.in_current_span());
        self.coming.push_back(AbortOnDropHandle::new(task));
    }
}

/// How many pieces there are at once: some more than connections, so that one slow connection does not
/// keep the others waiting.
fn at_once(connections: usize) -> usize {
    connections.min(MOST_CONNECTIONS) + 2
}

/// Receives a piece. Copies it: what a server sends in many small chunks takes many times its size otherwise.
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
mod tests {
    use super::*;

    #[test]
    fn pieces_are_few_but_enough_and_do_not_take_more_memory_than_they_may() {
        const MIB: u64 = 1 << 20;
        assert_eq!(Pieces::size(LARGE - 1, 4), u64::MAX);
        assert_eq!(Pieces::size(2000 * MIB, 1), u64::MAX);
        assert_eq!(Pieces::size(LARGE, 4), MIB);
        assert_eq!(Pieces::size(2000 * MIB, 2), 2 * MIB);
        for connections in [2, 3, 4, 8, 1000] {
            for length in [LARGE, 60 * MIB, 2000 * MIB] {
                let size = Pieces::size(length, connections);
                assert!(size * at_once(connections) as u64 <= AHEAD, "{size}");
                assert!(size >= MIB / 2, "{size}");
            }
        }
    }
}
