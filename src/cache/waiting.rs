//! Work on files where it blocks nobody, and waiting for whoever is at work on the same.
//!
//! Waiting takes no thread of a runtime: all that it has for blocking work could be waiting for the one who
//! needs a thread to go on. It ends when the future that waits is dropped.

use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use tracing::Span;

use crate::content::{ErrorKind, StoreError};

use super::error::Error;

/// How long is waited before looking again whether somebody else is done; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// Why an attempt came to nothing.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// Somebody else is at work on the same. It is to be tried again.
    Busy,
    Error(Error),
}

impl From<Error> for Obstacle {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Tries until nobody else is in the way.
pub(super) async fn when_free<T: Send + 'static>(
    attempt: impl Fn() -> Result<T, Obstacle> + Clone + Send + 'static,
) -> Result<T, StoreError> {
    let mut wait = FIRST_WAIT;
    loop {
        match off_the_runtime(attempt.clone()).await? {
            Ok(done) => return Ok(done),
            Err(Obstacle::Error(error)) => return Err(error.into()),
            Err(Obstacle::Busy) => tokio::time::sleep(wait).await,
        }
        wait = longer(wait);
    }
}

/// The same for who may block.
pub(super) fn wait_until_free<T>(attempt: impl Fn() -> Result<T, Obstacle>) -> Result<T, Error> {
    let mut wait = FIRST_WAIT;
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(Obstacle::Error(error)) => return Err(error),
            Err(Obstacle::Busy) => thread::sleep(wait),
        }
        wait = longer(wait);
    }
}

fn longer(wait: Duration) -> Duration {
    (wait * 2).min(LONGEST_WAIT)
}

/// Runs work where it does not block others.
pub(super) async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let span = Span::current();
    let done = tokio::task::spawn_blocking(move || span.in_scope(work));
    done.await
        .map_err(|error| StoreError::new(ErrorKind::Other, error))
}

/// The same for work on one file of the cache.
pub(super) async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let owned = path.to_owned();
    let done = off_the_runtime(move || work(&owned)).await?;
    Ok(done.map_err(Error::file(path))?)
}
