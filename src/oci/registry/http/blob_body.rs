//! The body of an upload: a blob that is streamed from its source, verified, and watched for stalls.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use futures_util::{Stream, StreamExt};
use reqwest::Body;
use tokio::io::AsyncReadExt;

use crate::content::{Descriptor, Reader, Source, VerifyError, VerifyReader};
use crate::oci::error::Error;

/// The size of the chunks that are given to the connection, in bytes.
const CHUNK: usize = 256 * 1024;
/// How long to wait for an answer before the body of a request is sent, after an earlier connection broke during the
/// body.
const HEAD_START: Duration = Duration::from_secs(1);
/// The fewest bytes a second that a registry moves to its storage, between receiving a blob and answering.
const SLOWEST_STORAGE: u64 = 32 * 1024 * 1024;

/// A blob, or the rest of a blob, as the body of a request that can be repeated.
pub(crate) struct BlobBody<'a> {
    content: &'a Descriptor,
    source: &'a dyn Source,
    what: &'a str,
    /// How many bytes the registry has already.
    offset: u64,
    stall_timeout: Duration,
    /// How long to wait for an answer before the body is sent.
    head_start: Duration,
    progress: Arc<Mutex<Progress>>,
}

/// The state of a body that is being sent.
struct Progress {
    /// The time at which a chunk was last given to the connection.
    moved: Instant,
    /// The position in the blob after that chunk.
    position: u64,
    complete: bool,
    /// The error of the source. The error of the HTTP client does not contain it.
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

impl<'a> BlobBody<'a> {
    pub(crate) fn new(
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
            head_start: Duration::ZERO,
            progress: Arc::new(Mutex::new(Progress::at(offset))),
        }
    }

    /// With `wait`, the body waits for a moment before it begins. So a server that refuses the head of the request can
    /// answer before the client sends bytes that the server does not read.
    pub(crate) fn after_head(self, wait: bool) -> Self {
        let head_start = if wait {
            HEAD_START.min(self.stall_timeout / 2)
        } else {
            Duration::ZERO
        };
        Self { head_start, ..self }
    }

    /// Opens the source, and returns the content from the offset on. Reads the bytes before the offset too, so that the
    /// whole blob is verified.
    pub(crate) async fn body(&self) -> Result<Body, Error> {
        let reader = VerifyReader::new(self.source.open(0).await?, self.content);
        let mut start = reader.take(self.offset);
        if let Err(error) = tokio::io::copy(&mut start, &mut tokio::io::sink()).await {
            return Err(source_error(self.what, error));
        }
        with(&self.progress, |progress| {
            *progress = Progress::at(self.offset)
        });
        let sending = Sending {
            reader: start.into_inner(),
            left: self.content.size.saturating_sub(self.offset),
            progress: Arc::clone(&self.progress),
        };
        let head_start = self.head_start;
        if head_start.is_zero() {
            return Ok(Body::wrap_stream(sending.into_chunks()));
        }
        let later = async move {
            tokio::time::sleep(head_start).await;
            sending.into_chunks()
        };
        Ok(Body::wrap_stream(stream::once(later).flatten()))
    }

    /// Takes the error of the source, if there was one.
    pub(crate) fn failure(&self) -> Option<Error> {
        let failure = with(&self.progress, |progress| progress.failure.take())?;
        Some(source_error(self.what, failure))
    }

    /// Returns the time at which a chunk was last sent, and the position after it.
    pub(crate) fn reached(&self) -> (Instant, u64) {
        with(&self.progress, |progress| {
            (progress.moved, progress.position)
        })
    }

    /// Waits until no byte has moved for too long, and returns the limit that was exceeded.
    pub(crate) async fn stalled(&self) -> Duration {
        let storing = Duration::from_secs(self.content.size / SLOWEST_STORAGE);
        loop {
            let (moved, complete) = with(&self.progress, |progress| {
                (progress.moved, progress.complete)
            });
            let limit = self.stall_timeout + if complete { storing } else { Duration::ZERO };
            let idle = moved.elapsed();
            if idle >= limit {
                return limit;
            }
            tokio::time::sleep(limit - idle).await;
        }
    }
}

/// Returns the error for a source that could not be read, or whose bytes did not verify.
pub(crate) fn source_error(what: &str, error: io::Error) -> Error {
    let what = what.to_owned();
    match error.downcast::<VerifyError>() {
        Ok(source) => Error::SourceChanged { what, source },
        Err(source) => Error::SourceFailed { what, source },
    }
}

/// The rest of a body that is being sent.
struct Sending {
    reader: VerifyReader<Reader>,
    left: u64,
    progress: Arc<Mutex<Progress>>,
}

impl Sending {
    fn into_chunks(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::unfold(Some(self), |sending| async {
            let sending = sending?;
            let progress = Arc::clone(&sending.progress);
            match sending.next().await {
                Ok((chunk, rest)) => Some((Ok(chunk), rest)),
                Err(error) => {
                    with(&progress, |progress| progress.failure = Some(error));
                    Some((Err(io::Error::other("the content could not be read")), None))
                }
            }
        })
    }

    /// Returns the next chunk, and the rest of the body. The last chunk is returned only after the whole blob has been
    /// verified, so that content that has changed is never sent completely.
    async fn next(mut self) -> io::Result<(Bytes, Option<Self>)> {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        while chunk.len() < CHUNK && self.left > 0 {
            let count = self.reader.read_buf(&mut chunk).await?;
            if count == 0 {
                break;
            }
            self.left = self.left.saturating_sub(count as u64);
        }
        let is_last = self.left == 0 || chunk.len() < CHUNK;
        let progress = Arc::clone(&self.progress);
        let rest = if is_last {
            self.reader.finish_async().await?;
            None
        } else {
            Some(self)
        };
        with(&progress, |progress| {
            progress.moved = Instant::now();
            progress.position += chunk.len() as u64;
            progress.complete = is_last;
        });
        Ok((chunk.freeze(), rest))
    }
}

/// Locks the progress for `change`.
fn with<T>(progress: &Mutex<Progress>, change: impl FnOnce(&mut Progress) -> T) -> T {
    change(&mut progress.lock().unwrap_or_else(PoisonError::into_inner))
}
