//! Work on files where it blocks nobody, and waiting for whoever is at work on the same.
//!
//! Waiting takes no thread of a runtime: all that it has for blocking work could be waiting for the one who
//! needs a thread to go on. It ends when the future that waits is dropped.

use std::thread;
use std::time::Duration;

use crate::content::{RuntimeEnded, blocking};

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

impl From<RuntimeEnded> for Obstacle {
    fn from(error: RuntimeEnded) -> Self {
        Self::Error(error.into())
    }
}

/// Tries until nobody else is in the way.
pub(super) async fn when_free<T: Send + 'static>(
    attempt: impl Fn() -> Result<T, Obstacle> + Clone + Send + 'static,
) -> Result<T, Error> {
    let mut wait = FIRST_WAIT;
    loop {
        match blocking(attempt.clone()).await {
            Ok(done) => return Ok(done),
            Err(Obstacle::Error(error)) => return Err(error),
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
