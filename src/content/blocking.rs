//! Blocking work off the runtime's own threads.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tracing::Span;

use super::workers::add_job;

/// The runtime shut down before blocking work began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the runtime shut down before the work began")]
#[non_exhaustive]
pub struct RuntimeEnded;

/// Runs `work` on the runtime's threads for blocking work, inside the caller's tracing span. At most
/// [`WORKERS`](super::workers::WORKERS) of these threads are used; further work waits. Outside a Tokio runtime, `work`
/// runs in place.
///
/// Work that has not begun when the returned future is dropped never runs. A panic of `work` continues in
/// the caller. `work` must not wait for other tasks: they may need one of these threads.
pub(crate) fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> impl Future<Output = Result<T, E>> + Send
where
    T: Send + 'static,
    E: From<RuntimeEnded> + Send + 'static,
{
    outcome_of(Box::new(move || Box::new(work())))
}

/// A limit on one kind of blocking work in this process, so that it does not take all
/// [workers](super::workers::WORKERS).
pub(crate) struct Share(Semaphore);

/// Work that takes as long as reading a whole file.
pub(crate) static LONG_WORK: Share = Share::of(6);

impl Share {
    /// Makes a share of `workers` workers.
    pub(crate) const fn of(workers: usize) -> Self {
        Self(Semaphore::const_new(workers))
    }

    /// Runs `work` as [`blocking`] does, as soon as fewer pieces of this kind run than the limit allows.
    pub(crate) async fn blocking<T, E>(
        &'static self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<RuntimeEnded> + Send + 'static,
    {
        // The semaphore is never closed.
        let permit = self.0.acquire().await.ok();
        let work = move || {
            // Work that has begun goes on when the future is dropped, so it has the permit.
            let _permit = permit;
            work()
        };
        blocking(work).await
    }
}

/// Work whose outcome has any type, so that the code that runs it is compiled once and not for each closure.
type Work = Box<dyn FnOnce() -> Outcome + Send>;
type Outcome = Box<dyn Any + Send>;

/// Runs `work`, whose outcome is a `Result<T, E>`.
async fn outcome_of<T: 'static, E: From<RuntimeEnded> + 'static>(work: Work) -> Result<T, E> {
    let outcome = in_background(work).await?.downcast();
    outcome.map_or_else(|_| Err(RuntimeEnded.into()), |outcome| *outcome)
}

async fn in_background(work: Work) -> Result<Outcome, RuntimeEnded> {
    let Ok(runtime) = Handle::try_current() else {
        return Ok(work());
    };
    let (sender, outcome) = oneshot::channel();
    let span = Span::current();
    let job = move || {
        // Otherwise the future was dropped.
        if !sender.is_closed() {
            let outcome = catch_unwind(AssertUnwindSafe(|| span.in_scope(work)));
            let _ = sender.send(outcome);
        }
    };
    add_job(&runtime, Box::new(job));
    match outcome.await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => Err(RuntimeEnded),
    }
}

#[cfg(test)]
#[path = "tests/blocking.rs"]
mod tests;
