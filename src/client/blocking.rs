//! Work that blocks, beside the host's runtime, and its end when nobody waits for it any more.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use tracing::Span;

use crate::content::{Meter, Progress, Stopped};

use super::Client;
use super::error::Error;

/// Runs blocking work where it does not block the host's runtime. Work that has not begun when the future
/// is dropped never does.
///
/// It must not wait for others, who may need such a thread themselves: a runtime has only so many.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let span = Span::current();
    let working = tokio::task::spawn_blocking(move || span.in_scope(work));
    match AbortOnDropHandle::new(working).await {
        Ok(outcome) => outcome,
        Err(source) => Err(Error::Cancelled(source)),
    }
}

impl Client {
    /// [Blocking](blocking) work that takes long, such as hashing an archive. It gets this client with a
    /// progress that stops it once the future was dropped.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (client, _wanted) = self.while_wanted();
        blocking(move || work(&client)).await
    }

    /// The same on a thread of its own, for work that waits for others: they may need one of the threads
    /// that a runtime has for blocking work.
    pub(super) async fn on_own_thread<T: Send + 'static>(
        &self,
        name: &str,
        input: Input,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (client, _wanted) = self.while_wanted();
        let (sender, outcome) = oneshot::channel();
        let span = Span::current();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // Nobody waits any more when the future was dropped.
                let _ = sender.send(span.in_scope(|| work(&client)));
            })
            .map_err(Error::Thread)?;
        let mut ending = Ending(match input {
            Input::Ours => Some(thread),
            Input::Foreign => None,
        });
        let outcome = outcome.await;
        ending.0 = None;
        outcome.map_err(|_| Error::Abandoned)?
    }

    /// This client with a progress that stops whatever it watches once the guard was dropped.
    fn while_wanted(&self) -> (Self, DropGuard) {
        let unwanted = CancellationToken::new();
        let progress = WhileWanted {
            progress: Arc::clone(&self.progress),
            unwanted: unwanted.clone(),
        };
        let client = Self {
            progress: Arc::new(progress),
            ..self.clone()
        };
        (client, unwanted.drop_guard())
    }
}

/// What work on a thread of its own waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input {
    /// What comes from beside its future, and ends with that.
    Ours,
    /// What may never end.
    Foreign,
}

/// The end of a thread, soon after its future was dropped.
struct Ending(Option<JoinHandle<()>>);

impl Drop for Ending {
    /// A runtime that ends waits for the blocking work that it has begun, and in this way for the thread:
    /// it has to clean up.
    fn drop(&mut self) {
        if let (Some(thread), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || thread.join());
        }
    }
}

/// Passes everything on to another progress or meter, for as long as somebody wants it done.
struct WhileWanted<P> {
    progress: P,
    unwanted: CancellationToken,
}

impl Progress for WhileWanted<Arc<dyn Progress>> {
    fn begin(&self, label: &str, total: u64) -> Box<dyn Meter> {
        Box::new(WhileWanted {
            progress: self.progress.begin(label, total),
            unwanted: self.unwanted.clone(),
        })
    }
}

impl Meter for WhileWanted<Box<dyn Meter>> {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        match self.unwanted.is_cancelled() {
            true => Err(Stopped.into()),
            false => self.progress.advance(bytes),
        }
    }
}
