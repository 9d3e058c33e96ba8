//! Repeating failed attempts: which of them, after which wait, and for how long.
//!
//! Only time without progress counts towards [`RetryOptions::patience`]. So a transfer over a bad connection continues
//! as long as it makes progress.

use std::error::Error as StdError;
use std::iter;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::StatusCode;

use crate::content::with_causes;
use crate::oci::error::{Error, ProxyError, may_pass};
use crate::oci::registry::options::RetryOptions;

/// How many times an attempt is repeated when its failure is probably final.
const DOUBTS: u32 = 2;

/// Returns whether the same request may succeed later after a refusal with `status`.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    may_pass(status.as_u16())
}

/// Returns whether the registry reports that the content it received has another digest.
pub(crate) fn is_damage(error: &Error) -> bool {
    matches!(error, Error::Refused { answer, .. } if answer.code.as_deref() == Some("DIGEST_INVALID"))
}

/// Whether another attempt may succeed.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Another attempt cannot succeed.
    Final,
    /// Another attempt will probably fail too. It is made a few times.
    Doubtful,
    /// Another attempt may succeed.
    Transient,
}

fn judge(error: &Error) -> Verdict {
    match error {
        // A bad connection may have damaged the answer, but more often it comes from a server with another protocol.
        Error::Interrupted { source, .. } if is_not_http(source.as_ref()) => Verdict::Doubtful,
        Error::Unreachable { .. } | Error::Interrupted { .. } | Error::Stalled { .. } => {
            Verdict::Transient
        }
        Error::Refused { answer, .. } => match answer.status {
            status if may_pass(status) => Verdict::Transient,
            // The answer comes from storage behind a redirect. Its signed URL has expired, and the registry gives a new
            // one. A registry itself that refuses with this status gives another error.
            401 | 403 => Verdict::Doubtful,
            _ if is_damage(error) => Verdict::Doubtful,
            _ => Verdict::Final,
        },
        Error::TokenService { answer, .. } if may_pass(answer.status) => Verdict::Transient,
        // A proxy may have cut off the answer.
        Error::Contradiction { .. } => Verdict::Doubtful,
        // The proxy may be starting, but more often the settings are wrong. A silent proxy is not tried again, because
        // that takes long.
        Error::Proxy(ProxyError::Unreachable { source, .. }) => {
            match source.downcast_ref::<reqwest::Error>() {
                Some(error) if error.is_timeout() => Verdict::Final,
                _ => Verdict::Doubtful,
            }
        }
        _ => Verdict::Final,
    }
}

/// Returns whether a server sent bytes that are not an HTTP answer. The text is compared, because the type of the error
/// belongs to a library below the HTTP client.
fn is_not_http(error: &(dyn StdError + 'static)) -> bool {
    let chain = iter::successors(Some(error), |&error| error.source());
    let mut texts = chain.map(ToString::to_string);
    texts.any(|text| text.starts_with("invalid HTTP ") || text.contains("unexpected message"))
}

/// The attempts at one transfer.
pub(crate) struct Attempts {
    options: RetryOptions,
    delays: ExponentialBackoff,
    /// The furthest position that the transfer has reached, in bytes.
    reached: u64,
    /// The number of attempts that failed since the last progress.
    failures: u32,
    /// The number of those failures that were [`Verdict::Doubtful`].
    doubts: u32,
    /// The time at which the first attempt since the last progress began.
    started: Instant,
    /// The time without progress since the last progress, during the attempts and between them.
    idle: Duration,
    /// The time at which a byte last moved, or at which the current attempt began.
    moved: Instant,
}

impl Attempts {
    pub(crate) fn new(options: &RetryOptions) -> Self {
        Self {
            delays: delays(options),
            options: options.clone(),
            reached: 0,
            failures: 0,
            doubts: 0,
            started: Instant::now(),
            idle: Duration::ZERO,
            moved: Instant::now(),
        }
    }

    /// Records that bytes have moved, and that the transfer is at `position`.
    pub(crate) fn moved_to(&mut self, position: u64) {
        self.moved_at(Instant::now(), position);
    }

    /// Records that bytes last moved at `moved`, and that the transfer was then at `position`.
    pub(crate) fn moved_at(&mut self, moved: Instant, position: u64) {
        self.moved = self.moved.max(moved);
        if position > self.reached {
            self.reached = position;
            self.idle = Duration::ZERO;
            self.started = self.moved;
            if self.failures > 0 {
                (self.failures, self.doubts) = (0, 0);
                self.delays = delays(&self.options);
            }
        }
    }

    pub(crate) fn reached(&self) -> u64 {
        self.reached
    }

    /// Returns the number of attempts that failed since the last progress.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns how long the current attempt may make no progress.
    pub(crate) fn stall_timeout(&self) -> Duration {
        let limit = self.options.longest_silence();
        if self.failures == 0 {
            return limit;
        }
        let patience = self.options.patience;
        let left = patience.saturating_sub(self.idle);
        // The last attempt gets enough time to fail with an error that tells the reason.
        left.max(patience / 10).min(limit)
    }

    /// Waits until the next attempt, after an attempt that failed with `error`. Fails with the error to report when
    /// there is no further attempt.
    pub(crate) async fn failed(&mut self, error: Error) -> Result<(), Error> {
        self.failures += 1;
        self.idle += self.moved.elapsed();
        let verdict = judge(&error);
        self.doubts += u32::from(verdict == Verdict::Doubtful);
        if verdict == Verdict::Final || self.doubts > DOUBTS {
            return Err(error);
        }
        let Some(delay) = self.delay(&error) else {
            return Err(self.gave_up(error));
        };
        if self.failures == 1 && matches!(error, Error::Unreachable { .. }) {
            // The name may be mistyped, so the user is warned without waiting for further attempts.
            let patience = self.options.patience.as_secs();
            tracing::warn!("{}; retrying for {patience} s", with_causes(&error));
        } else {
            tracing::info!(
                "{}; attempt {} follows in {:.1} s",
                with_causes(&error),
                self.failures + 1,
                delay.as_secs_f32()
            );
        }
        tokio::time::sleep(delay).await;
        self.idle += delay;
        self.moved = Instant::now();
        Ok(())
    }

    /// Returns how long to wait before the next attempt, or `None` when that would be too long.
    fn delay(&mut self, error: &Error) -> Option<Duration> {
        let asked = match error {
            Error::Refused { answer, .. } | Error::TokenService { answer, .. } => {
                answer.retry_after
            }
            _ => None,
        };
        if asked.is_some_and(|asked| asked > self.options.longest_retry_after) {
            return None;
        }
        let own = self.delays.next().unwrap_or(self.options.longest_delay);
        let delay = own.max(asked.unwrap_or_default());
        (self.idle + delay <= self.options.patience).then_some(delay)
    }

    fn gave_up(&self, error: Error) -> Error {
        if self.failures == 1 {
            return error;
        }
        Error::GaveUp {
            attempts: self.failures,
            seconds: self.started.elapsed().as_secs(),
            last: Box::new(error),
        }
    }
}

fn delays(options: &RetryOptions) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(options.first_delay)
        .with_max_delay(options.longest_delay)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
#[path = "tests/retry.rs"]
mod tests;
