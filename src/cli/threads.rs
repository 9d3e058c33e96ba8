//! Running blocking work so that the command still notices an interruption.

use anyhow::{Context, Result};
use tokio::sync::RwLock;

use crate::content;

/// Locked for reading while work of [`blocking`] runs. It is locked until the command has got the outcome of the work,
/// so that an interruption does not come between.
static RUNNING: RwLock<()> = RwLock::const_new(());

/// Runs work on local files on a thread for blocking work. After an interruption, the command waits a few
/// seconds for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let _running = RUNNING.read().await;
    content::blocking(work).await
}

/// Waits until no work of [`blocking`] runs. Until then, no further work begins.
pub(crate) async fn blocking_work_ended() {
    drop(RUNNING.write().await);
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
