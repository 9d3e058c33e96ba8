//! Running blocking work so that the command still notices an interruption.

use anyhow::{Context, Result};

use crate::content;

/// Runs work on local files on a thread for blocking work. After an interruption, the command waits a few
/// seconds for it.
pub(crate) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> impl Future<Output = Result<T>> + Send {
    content::blocking(work)
}

/// Runs work that may never end, such as reading standard input, on a thread of its own. After an interruption, the
/// command does not wait for it, so the work must leave nothing to clean up.
pub(crate) async fn detached<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // After an interruption, the receiver is gone.
        let _ = sender.send(work());
    });
    receiver.await.context("a background thread panicked")?
}
