//! Blocking work on threads. The work ends soon after the future that waits for it is dropped.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Span;

use crate::content::{self, Meter, Progress, Step, Stopped};

use super::error::Error;

/// Runs blocking work on one of the runtime's threads for blocking work.
pub(super) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> impl Future<Output = Result<T, Error>> + Send {
    content::blocking(work)
}

/// Runs blocking work on a thread of its own, whose name is `name`. This is for work that waits for other tasks.
pub(super) async fn on_own_thread<T: Send + 'static>(
    name: &str,
    input: Input,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, outcome) = oneshot::channel();
    let span = Span::current();
    let thread = thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // Sending fails after the future was dropped. Then nothing needs the outcome.
            let _ = sender.send(span.in_scope(work));
        })
        .map_err(Error::Thread)?;
    let mut join = JoinOnDrop(match input {
        Input::Ours => Some(thread),
        Input::Foreign => None,
    });
    let outcome = outcome.await;
    join.0 = None;
    outcome.map_err(|_| Error::Abandoned)?
}

/// Where a thread of [`on_own_thread`] gets its bytes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input {
    /// Bytes from the future that the thread belongs to. They end when that future is dropped.
    Ours,
    /// Bytes from the caller, which may never end.
    Foreign,
}

/// Makes the runtime join a thread whose future was dropped.
struct JoinOnDrop(Option<JoinHandle<()>>);

impl Drop for JoinOnDrop {
    /// The thread has files to remove. A runtime that shuts down waits for blocking work that has begun, so this work
    /// joins the thread.
    fn drop(&mut self) {
        if let (Some(thread), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || thread.join());
        }
    }
}

/// Returns a progress that stops every step of `inner` once the guard is dropped.
pub(super) fn until_dropped(inner: Arc<dyn Progress>) -> (Arc<dyn Progress>, DropGuard) {
    let cancelled = CancellationToken::new();
    let progress = Cancellable {
        inner,
        cancelled: cancelled.clone(),
    };
    (Arc::new(progress), cancelled.drop_guard())
}

/// A progress or a meter that stops its steps once it is cancelled.
struct Cancellable<P> {
    inner: P,
    cancelled: CancellationToken,
}

impl Progress for Cancellable<Arc<dyn Progress>> {
    fn begin(&self, step: Step, total: u64) -> Box<dyn Meter> {
        Box::new(Cancellable {
            inner: self.inner.begin(step, total),
            cancelled: self.cancelled.clone(),
        })
    }

    fn begin_for(&self, reference: &str, step: Step, total: u64) -> Box<dyn Meter> {
        Box::new(Cancellable {
            inner: self.inner.begin_for(reference, step, total),
            cancelled: self.cancelled.clone(),
        })
    }
}

impl Meter for Cancellable<Box<dyn Meter>> {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        if self.cancelled.is_cancelled() {
            Err(Stopped.into())
        } else {
            self.inner.advance(bytes)
        }
    }
}
