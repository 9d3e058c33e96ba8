//! Waiting until no other task is at work on the same file.
//!
//! A task that waits takes no thread of a runtime: if all threads for blocking work were waiting, the task
//! that they wait for could get none. A task stops waiting when its future is dropped.

use std::thread;
use std::time::Duration;

use crate::content::{RuntimeEnded, blocking};

use super::error::Error;
use super::lock::Busy;

/// How long to wait for another process before the second attempt. The interval doubles up to the longest.
const FIRST_INTERVAL: Duration = Duration::from_millis(10);
const LONGEST_INTERVAL: Duration = Duration::from_millis(200);

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// Another task is at work on the same file: try again.
    Busy(Busy),
    Error(Error),
}

impl From<Busy> for Obstacle {
    fn from(busy: Busy) -> Self {
        Self::Busy(busy)
    }
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

/// Attempts something until no other task is in its way.
pub(super) async fn when_free<T: Send + 'static>(
    attempt: impl Fn() -> Result<T, Obstacle> + Clone + Send + 'static,
) -> Result<T, Error> {
    let mut interval = FIRST_INTERVAL;
    loop {
        match blocking(attempt.clone()).await {
            Ok(done) => return Ok(done),
            Err(Obstacle::Error(error)) => return Err(error),
            Err(Obstacle::Busy(busy)) => busy.wait(interval).await,
        }
        interval = longer(interval);
    }
}

/// Attempts something until no other task is in its way. Blocks.
pub(super) fn wait_until_free<T>(attempt: impl Fn() -> Result<T, Obstacle>) -> Result<T, Error> {
    let mut interval = FIRST_INTERVAL;
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(Obstacle::Error(error)) => return Err(error),
            Err(Obstacle::Busy(_)) => thread::sleep(interval),
        }
        interval = longer(interval);
    }
}

fn longer(interval: Duration) -> Duration {
    (interval * 2).min(LONGEST_INTERVAL)
}
