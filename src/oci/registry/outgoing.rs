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

/// How much is handed to the connection at a time.
const CHUNK: usize = 256 * 1024;
/// How much of a blob a registry moves to its final place in a second at least, before it answers.
const SLOWEST_STORAGE: u64 = 32 * 1024 * 1024;

/// A blob to send, or the rest of one, as often as it takes.
pub(super) struct Outgoing<'a> {
    content: &'a Descriptor,
    source: &'a dyn Source,
    what: &'a str,
    /// How much of it the registry has already.
    offset: u64,
    stall_timeout: Duration,
    progress: Arc<Mutex<Progress>>,
}

/// How far the sending is, and what went wrong on our side: the HTTP client only says that something
/// did.
struct Progress {
    moved: Instant,
    position: u64,
    complete: bool,
    failure: Option<io::Error>,
}

impl Progress {
    fn at(position: u64) -> Self {
        Self {
            moved: Instant::now(),
            position,
            complete: false,
            failure: None,
        }
    }
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(
        content: &'a Descriptor,
        source: &'a dyn Source,
        what: &'a str,
        offset: u64,
        stall_timeout: Duration,
    ) -> Self {
        Self {
            content,
            source,
            what,
            offset,
            stall_timeout,
            progress: Arc::new(Mutex::new(Progress::at(offset))),
        }
    }

    /// A body with the content from the offset on. What is before it is read too, to be verified.
    pub(super) async fn body(&self) -> Result<Body, Error> {
        let reader = VerifyReader::new(self.source.open(0).await?, self.content);
        let mut start = reader.take(self.offset);
        if let Err(error) = tokio::io::copy(&mut start, &mut tokio::io::sink()).await {
            return Err(source_error(self.what, error));
        }
        note(&self.progress, |progress| {
            *progress = Progress::at(self.offset);
        });
        let state = Some(Sending {
            reader: start.into_inner(),
            left: self.content.size.saturating_sub(self.offset),
            progress: Arc::clone(&self.progress),
        });
        Ok(Body::wrap_stream(chunks(state)))
    }

    /// What went wrong on our side, when something did.
    pub(super) fn failure(&self) -> Option<Error> {
        let failure = note(&self.progress, |progress| progress.failure.take())?;
        Some(source_error(self.what, failure))
    }

    /// When something last went out, and how far the sending had then come.
    pub(super) fn reached(&self) -> (Instant, u64) {
        note(&self.progress, |progress| {
            (progress.moved, progress.position)
        })
    }

    /// Returns, with the limit, when nothing has moved for too long.
    pub(super) async fn stalled(&self) -> Duration {
        let storing = Duration::from_secs(self.content.size / SLOWEST_STORAGE);
        loop {
            let (moved, complete) = note(&self.progress, |progress| {
                (progress.moved, progress.complete)
            });
            let limit = match complete {
                true => self.stall_timeout + storing,
                false => self.stall_timeout,
            };
            let idle = moved.elapsed();
            if idle >= limit {
                return limit;
            }
            tokio::time::sleep(limit - idle).await;
        }
    }
}

/// An error of whoever has the content.
pub(super) fn source_error(what: &str, error: io::Error) -> Error {
    let what = what.to_owned();
    match error.downcast::<VerifyError>() {
        Ok(source) => Error::SourceChanged { what, source },
        Err(source) => Error::SourceFailed { what, source },
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
            let empty: Reader = Box::new(io::Cursor::new(Bytes::new()));
            let nothing = Descriptor::of("", b"");
            let finished = std::mem::replace(&mut self.reader, VerifyReader::new(empty, &nothing));
            finished.finish_async().await?;
        }
        note(&self.progress, |progress| {
            progress.moved = Instant::now();
            progress.position += chunk.len() as u64;
            progress.complete = ended;
        });
        Ok((chunk.freeze(), self))
    }
}

fn note<T>(progress: &Mutex<Progress>, change: impl FnOnce(&mut Progress) -> T) -> T {
    change(&mut progress.lock().unwrap_or_else(PoisonError::into_inner))
}
