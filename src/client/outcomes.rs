//! A stream of results.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt};

/// Results that arrive one after the other, from [`Client::prefetch`](super::Client::prefetch) and
/// [`Client::watch`](super::Client::watch).
///
/// It implements [`Stream`] of the crate `futures`. [`next`](Self::next) waits for one result without that crate. Work
/// begins only while the caller waits for a result. Dropping this value stops the work.
#[must_use = "nothing is done before a result is waited for"]
pub struct Outcomes<T>(
    /// The lock is never taken. It lets threads share a reference to this value, which cannot be used for polling.
    Mutex<Pin<Box<dyn Stream<Item = T> + Send>>>,
);

impl<T: Send> Outcomes<T> {
    pub(super) fn new(stream: impl Stream<Item = T> + Send + 'static) -> Self {
        Self(Mutex::new(Box::pin(stream)))
    }

    /// Waits for the next result. Returns `None` after the last one. The future can be dropped at any time without
    /// losing a result.
    #[allow(
        clippy::should_implement_trait,
        reason = "an iterator does not wait without blocking"
    )]
    pub fn next(&mut self) -> impl Future<Output = Option<T>> + Send + use<'_, T> {
        StreamExt::next(self)
    }
}

impl<T> Stream for Outcomes<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let stream = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        stream.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Outcomes<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outcomes").finish_non_exhaustive()
    }
}
