//! Recording whether a mirror failed recently.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::content::Digest;

/// How long a mirror is not asked after it failed.
const PAUSE: Duration = Duration::from_secs(60);
/// When a caller stops waiting after at least this time, the mirror counts as failed. A shorter wait does not count.
const SILENCE: Duration = Duration::from_secs(1);

/// The last failure of an endpoint, if any.
#[derive(Default)]
pub(crate) struct Availability(Mutex<Option<Failure>>);

struct Failure {
    when: Instant,
    reason: String,
    /// The content for which the endpoint sent wrong bytes, if that was the failure.
    corrupt: Option<Digest>,
}

impl Availability {
    pub(super) fn failed(&self, reason: String, corrupt: Option<Digest>) {
        self.set(Some(Failure {
            when: Instant::now(),
            reason,
            corrupt,
        }));
    }

    pub(crate) fn recovered(&self) {
        self.set(None);
    }

    /// Returns the reason of a recent failure, because of which the endpoint should not be asked now.
    pub(super) fn recent_failure(&self) -> Option<String> {
        let failure = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = failure.as_ref().filter(|failure| failure.is_recent());
        recent.map(|failure| failure.reason.clone())
    }

    /// Returns whether the last failure was recent, and was that the endpoint sent wrong bytes for `content`.
    pub(crate) fn was_corrupt(&self, content: &Digest) -> bool {
        let failure = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = failure.as_ref().filter(|failure| failure.is_recent());
        recent.is_some_and(|failure| failure.corrupt.as_ref() == Some(content))
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

    fn set(&self, failure: Option<Failure>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

impl Failure {
    fn is_recent(&self) -> bool {
        self.when.elapsed() < PAUSE
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
            self.availability.failed(reason, None);
        }
    }
}
