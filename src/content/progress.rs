//! Watching long work, and stopping it.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Watches long work. A host or a command implements it to show progress and to stop work; [`Silent`] does
/// neither.
///
/// It is called on the threads that do the work: those of the runtime, its threads for blocking work, and
/// threads of this crate's own. Several steps may run at once.
pub trait Progress: Send + Sync {
    /// Begins a step of `total` bytes. 0 stands for an unknown size.
    fn begin(&self, step: Step, total: u64) -> Box<dyn Meter>;

    /// Begins a step of `total` bytes that is part of the work on `reference`, such as
    /// `ghcr.io/org/provider:1.0.0`. A client calls this method for every step of an operation on a reference.
    /// Work on several references may run at once. [`copy`](crate::client::Client::copy) names its destination.
    ///
    /// The default calls [`begin`](Self::begin) and ignores `reference`.
    fn begin_for(&self, reference: &str, step: Step, total: u64) -> Box<dyn Meter> {
        let _ = reference;
        self.begin(step, total)
    }
}

/// What is done in a step of long work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Content is copied from one registry or image layout to another.
    Copying,
    /// Content is downloaded into the cache.
    Downloading,
    /// An executable is extracted from a local archive.
    Extracting,
    /// The digest of a local file is computed.
    Hashing,
    /// Executables are packed into an archive.
    Packing,
    /// Content is uploaded to a registry or an image layout.
    Uploading,
    /// An archive, or content of the cache, is read and verified.
    Verifying,
    /// The work waits for another process that changes the archive. The step has no size.
    Waiting,
    /// An archive is written to a local file.
    Writing,
}

/// Counts the progress of one step. Dropping the meter ends the step.
pub trait Meter: Send + Sync {
    /// Counts `bytes` more as done. It is called often, and by several threads at the same time. It must not
    /// block, because tasks of the runtime wait for it.
    ///
    /// # Errors
    ///
    /// An error stops the step, which then cleans up after itself. An implementation returns [`Stopped`]
    /// when the user asked to stop.
    fn advance(&self, bytes: u64) -> io::Result<()>;
}

/// Ignores progress and never stops work.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _step: Step, _total: u64) -> Box<dyn Meter> {
        Box::new(Self)
    }
}

impl Meter for Silent {
    fn advance(&self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }
}

/// The error of work that was stopped on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Stopped;

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> Self {
        // Not `io::ErrorKind::Interrupted`, after which the standard library tries again.
        Self::other(stopped)
    }
}

/// Counts the bytes that are read with a [`Meter`]. It works over [`Read`] and over [`AsyncRead`].
pub(crate) struct MeteredReader<R, M> {
    inner: R,
    meter: M,
}

impl<R, M: AsRef<dyn Meter>> MeteredReader<R, M> {
    /// Makes a reader over `inner`.
    pub(crate) fn new(inner: R, meter: M) -> Self {
        Self { inner, meter }
    }
}

impl<R: Read, M: AsRef<dyn Meter>> Read for MeteredReader<R, M> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.meter.as_ref().advance(count as u64)?;
        Ok(count)
    }
}

impl<R: AsyncRead + Unpin, M: AsRef<dyn Meter> + Unpin> AsyncRead for MeteredReader<R, M> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
        let new = buffer.filled().len() - before;
        Poll::Ready(this.meter.as_ref().advance(new as u64))
    }
}
