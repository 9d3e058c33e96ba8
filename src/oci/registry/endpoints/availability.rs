//! Recording whether a mirror failed recently.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a mirror is not asked after it failed.
const PAUSE: Duration = Duration::from_secs(60);
/// When a caller stops waiting after at least this time, the mirror counts as failed. A shorter wait does not count.
const SILENCE: Duration = Duration::from_secs(1);

/// The time and the reason of the last failure of an endpoint, if any.
#[derive(Default)]
pub(crate) struct Availability(Mutex<Option<(Instant, String)>>);

impl Availability {
    pub(super) fn failed(&self, reason: String) {
        self.set(Some((Instant::now(), reason)));
    }

    pub(crate) fn recovered(&self) {
        self.set(None);
    }

    /// Returns the reason of a recent failure, because of which the endpoint should not be asked now.
    pub(super) fn recent_failure(&self) -> Option<String> {
        let failure = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = failure.as_ref().filter(|(when, _)| when.elapsed() < PAUSE);
        recent.map(|(_, reason)| reason.clone())
    }

    /// Awaits an answer of the endpoint. If the caller stops waiting for a silent endpoint, a failure is recorded, so
    /// that later requests skip the endpoint.
    pub(crate) async fn watch<T>(&self, answer: impl Future<Output = T>) -> T {
        let mut wait = Wait {
            availability: self,
            since: Instant::now(),
            answered: false,
        };
        let answer = answer.await;
        wait.answered = true;
        answer
    }

    fn set(&self, failure: Option<(Instant, String)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// A wait for an answer.
struct Wait<'a> {
    availability: &'a Availability,
    since: Instant,
    answered: bool,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let waited = self.since.elapsed();
        if !self.answered && waited >= SILENCE {
            let seconds = waited.as_secs_f32();
            let reason = format!("no answer within {seconds:.1} seconds, then the caller gave up");
            self.availability.failed(reason);
        }
    }
}
