//! Blocking work off the runtime's own threads.

use std::any::Any;
use std::panic::resume_unwind;

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tracing::Span;

/// The runtime shut down before blocking work began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the runtime shut down before the work began")]
#[non_exhaustive]
pub struct RuntimeEnded;

/// Runs `work` on the runtime's threads for blocking work, inside the caller's tracing span. Outside a
/// Tokio runtime, `work` runs in place.
///
/// Work that has not begun when the returned future is dropped never runs. A panic of `work` continues in
/// the caller. `work` must not wait for other tasks: they may need one of these threads, and a runtime has
/// only so many.
pub(crate) fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> impl Future<Output = Result<T, E>> + Send
where
    T: Send + 'static,
    E: From<RuntimeEnded> + Send + 'static,
{
    outcome_of(Box::new(move || Box::new(work())))
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
    let span = Span::current();
    let working = runtime.spawn_blocking(move || span.in_scope(work));
    match AbortOnDropHandle::new(working).await {
        Ok(outcome) => Ok(outcome),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(RuntimeEnded),
        },
    }
}

#[cfg(test)]
#[path = "tests/blocking.rs"]
mod tests;
