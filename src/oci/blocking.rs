//! Blocking work beside asynchronous tasks.

use super::error::Error;

/// Runs `work` on a thread for blocking work, within the current tracing span.
///
/// # Errors
///
/// The error of `work`, and [`Error::Cancelled`] when the runtime shuts down or `work` panics.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(result) => result,
        Err(source) => Err(Error::Cancelled {
            source: source.into(),
        }),
    }
}
