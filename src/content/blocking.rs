//! Blocking work off the runtime's own threads.

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
pub(crate) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<RuntimeEnded> + Send + 'static,
{
    let Ok(runtime) = Handle::try_current() else {
        return work();
    };
    let span = Span::current();
    let working = runtime.spawn_blocking(move || span.in_scope(work));
    match AbortOnDropHandle::new(working).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(RuntimeEnded.into()),
        },
    }
}

#[cfg(test)]
#[path = "tests/blocking.rs"]
mod tests;
