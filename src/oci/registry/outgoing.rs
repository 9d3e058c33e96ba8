//! A blob on its way out: streamed, verified, watched.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream;
use reqwest::Body;
use tokio::io::AsyncReadExt;

use crate::content::{Descriptor, Reader, Source, VerifyError, VerifyReader};

use super::super::error::Error;
use super::clients::STALL_TIMEOUT;

/// How much is handed to the connection at a time.
const CHUNK: usize = 256 * 1024;
/// How long a registry may take to answer when it has everything: it may have to move gigabytes to
/// its final place.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// A blob to send, as often as it takes.
pub(super) struct Outgoing<'a> {
    content: &'a Descriptor,
    source: &'a dyn Source,
    what: &'a str,
    progress: Arc<Mutex<Progress>>,
}

/// How far the sending is, and what went wrong on our side: the HTTP client only says that something
/// did.
struct Progress {
    moved: Instant,
    complete: bool,
    failure: Option<io::Error>,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(content: &'a Descriptor, source: &'a dyn Source, what: &'a str) -> Self {
        let progress = Progress {
            moved: Instant::now(),
            complete: false,
            failure: None,
        };
        Self {
            content,
            source,
            what,
            progress: Arc::new(Mutex::new(progress)),
        }
    }

    /// A body with the content from its start.
    pub(super) async fn body(&self) -> Result<Body, Error> {
        let reader = self.source.open(0).await?;
        note(&self.progress, |progress| {
            *progress = Progress {
                moved: Instant::now(),
                complete: false,
                failure: None,
            };
        });
        let state = Some(Sending {
            reader: VerifyReader::new(reader, self.content),
            left: self.content.size,
            progress: Arc::clone(&self.progress),
        });
        Ok(Body::wrap_stream(chunks(state)))
    }

    /// What went wrong on our side, when something did.
    pub(super) fn failure(&self) -> Option<Error> {
        let failure = note(&self.progress, |progress| progress.failure.take())?;
        let what = self.what.to_owned();
        Some(match failure.downcast::<VerifyError>() {
            Ok(source) => Error::SourceChanged { what, source },
            Err(source) => Error::SourceFailed { what, source },
        })
    }

    /// Returns, with the seconds that passed, when nothing has moved for too long.
    pub(super) async fn stalled(&self) -> u64 {
        loop {
            let (moved, complete) = note(&self.progress, |progress| {
                (progress.moved, progress.complete)
            });
            let limit = if complete {
                ANSWER_TIMEOUT
            } else {
                STALL_TIMEOUT
            };
            let idle = moved.elapsed();
            if idle >= limit {
                return limit.as_secs();
            }
            tokio::time::sleep(limit - idle).await;
        }
    }
}

struct Sending {
    reader: VerifyReader<Reader>,
    left: u64,
    progress: Arc<Mutex<Progress>>,
}

fn chunks(state: Option<Sending>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::unfold(state, |state| async {
        let sending = state?;
        if sending.left == 0 && note(&sending.progress, |progress| progress.complete) {
            return None;
        }
        let progress = Arc::clone(&sending.progress);
        match sending.next().await {
            Ok((chunk, next)) => Some((Ok(chunk), Some(next))),
            Err(error) => {
                note(&progress, |progress| progress.failure = Some(error));
                Some((Err(io::Error::other("the content could not be read")), None))
            }
        }
    })
}

impl Sending {
    /// The next chunk. The last one is given only once everything is verified, so that a source that
    /// changed underneath never arrives complete.
    async fn next(mut self) -> io::Result<(Bytes, Self)> {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        while chunk.len() < CHUNK && self.left > 0 {
            let count = self.reader.read_buf(&mut chunk).await?;
            if count == 0 {
                break;
            }
            self.left = self.left.saturating_sub(count as u64);
        }
        let ended = self.left == 0 || chunk.len() < CHUNK;
        if ended {
            // Over the end, for bytes that trail the content.
            tokio::io::copy(&mut self.reader, &mut tokio::io::sink()).await?;
            let empty: Reader = Box::new(io::Cursor::new(Bytes::new()));
            let nothing = Descriptor::of("", b"");
            let finished = std::mem::replace(&mut self.reader, VerifyReader::new(empty, &nothing));
            let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
            finished.finish().map_err(invalid)?;
        }
        note(&self.progress, |progress| {
            progress.moved = Instant::now();
            progress.complete = ended;
        });
        Ok((chunk.freeze(), self))
    }
}

fn note<T>(progress: &Mutex<Progress>, change: impl FnOnce(&mut Progress) -> T) -> T {
    change(&mut progress.lock().unwrap_or_else(PoisonError::into_inner))
}
