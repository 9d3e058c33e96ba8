//! What is tried again, when, and for how long: the one place that decides.
//!
//! Only time without progress counts against [`RetryOptions::patience`]: a transfer over a bad line goes
//! on for as long as it gets further. Everything that is sent can be sent again: reads and manifests as
//! they are, blobs from their file (`upload.rs`).

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::StatusCode;

use crate::content::whole;

use super::super::error::Error;

/// How often what looks like an accident is tried again.
const DOUBTS: u32 = 2;
/// How long a host is waited for when there is another one to ask: time for a mirror to get a manifest
/// from its origin, and little for one that is gone.
const MIRROR_WAIT: Duration = Duration::from_secs(5);
/// The same, when who asks can do without an answer.
const MIRROR_WAIT_IN_HASTE: Duration = Duration::from_secs(2);
/// Longer is for ever. Points in time that are further away cannot be computed everywhere.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long is waited for a registry, and how often it is asked again.
///
/// What is tried again: HTTP 408, 429, 500, 502, 503 and 504, connections that fail or break, and
/// transfers that stall; not refusals, content that is wrong, or a failing TLS certificate.
///
/// What is longer than a year, such as [`Duration::MAX`], counts as a year.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RetryOptions {
    /// How long a connection may take to come about. Default: 10 seconds.
    pub connect_timeout: Duration,
    /// How long a transfer may stand still before it counts as failed. Default: 30 seconds.
    pub stall_timeout: Duration,
    /// How long a registry may keep a transfer from getting further, failed attempts and the time
    /// between them together. Zero: nothing is tried again. Default: 50 seconds.
    pub patience: Duration,
    /// About how long is waited before the second attempt; each further wait is twice as long, and all
    /// of them are up to twice as long by chance. Default: 0.5 seconds.
    pub first_delay: Duration,
    /// The longest wait, but for chance. Default: 8 seconds.
    pub longest_delay: Duration,
    /// The longest `Retry-After` that is waited for. Who asks for more gets no further request.
    /// Default: 30 seconds.
    pub longest_retry_after: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            patience: Duration::from_secs(50),
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(8),
            longest_retry_after: Duration::from_secs(30),
        }
    }
}

impl RetryOptions {
    /// The same, with nothing that is longer than a year.
    pub(super) fn bounded(&self) -> Self {
        Self {
            connect_timeout: self.connect_timeout.min(FOR_EVER),
            stall_timeout: self.stall_timeout.min(FOR_EVER),
            patience: self.patience.min(FOR_EVER),
            first_delay: self.first_delay.min(FOR_EVER),
            longest_delay: self.longest_delay.min(FOR_EVER),
            longest_retry_after: self.longest_retry_after.min(FOR_EVER),
        }
    }

    /// For one quick attempt.
    pub(super) fn quick(&self) -> Self {
        Self {
            stall_timeout: self.stall_timeout.min(MIRROR_WAIT),
            patience: Duration::ZERO,
            ..self.clone()
        }
    }

    /// For who can do without an answer, and waits for a silent registry no longer than `patience`.
    pub(super) fn in_haste(&self, patience: Duration) -> Self {
        Self {
            stall_timeout: self.stall_timeout.min(patience),
            patience: self.patience.min(patience),
            ..self.clone()
        }
    }

    /// The same for one quick attempt.
    pub(super) fn quick_in_haste(&self) -> Self {
        self.in_haste(MIRROR_WAIT_IN_HASTE).quick()
    }
}

/// Whether a refusal may pass by itself.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// Whether the registry says that what arrived is not what its digest says.
pub(super) fn is_damage(error: &Error) -> bool {
    matches!(error, Error::Refused { answer, .. } if answer.code.as_deref() == Some("DIGEST_INVALID"))
}

/// What to do about a failed attempt.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Another attempt will do no better.
    Stands,
    /// It may have been an accident on the way; again and again it is not.
    Doubtful,
    /// It may pass.
    Passes,
}

fn judge(error: &Error) -> Verdict {
    match error {
        Error::Unreachable { .. } | Error::Interrupted { .. } | Error::Stalled { .. } => {
            Verdict::Passes
        }
        Error::Refused { answer, .. } => match StatusCode::from_u16(answer.status) {
            Ok(status) if is_transient(status) => Verdict::Passes,
            // Storage behind a redirect, whose addresses expire: the registry names a new one. When
            // the registry itself refuses like this, it is another error.
            Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Verdict::Doubtful,
            _ if is_damage(error) => Verdict::Doubtful,
            _ => Verdict::Stands,
        },
        // Something on the way may have cut the answer off and said so.
        Error::Contradiction { .. } => Verdict::Doubtful,
        _ => Verdict::Stands,
    }
}

/// The attempts at one piece of work.
pub(super) struct Attempts {
    options: RetryOptions,
    delays: ExponentialBackoff,
    /// How far the work has come, in bytes.
    reached: u64,
    /// The attempts that failed since then,
    failures: u32,
    /// some of them doubtfully,
    doubts: u32,
    /// the first of which began here,
    started: Instant,
    /// and how long nothing moved during and between them.
    idle: Duration,
    /// When something last moved, or the current attempt began.
    moved: Instant,
}

impl Attempts {
    pub(super) fn new(options: &RetryOptions) -> Self {
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

    /// Bytes have moved; the work has come as far as `position`.
    pub(super) fn moved_to(&mut self, position: u64) {
        self.moved_at(Instant::now(), position);
    }

    /// Bytes last moved at `moved`; the work had then come as far as `position`.
    pub(super) fn moved_at(&mut self, moved: Instant, position: u64) {
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

    /// How far the work has come at best.
    pub(super) fn reached(&self) -> u64 {
        self.reached
    }

    /// How long the current attempt may stand still.
    pub(super) fn stall_timeout(&self) -> Duration {
        match self.failures {
            0 => self.options.stall_timeout,
            _ => {
                let patience = self.options.patience;
                let left = patience.saturating_sub(self.idle);
                // The last attempt is to fail by itself, and to say why.
                left.max(patience / 10).min(self.options.stall_timeout)
            }
        }
    }

    /// After a failed attempt: waits and returns when there is to be another one, else gives the error
    /// to report.
    pub(super) async fn failed(&mut self, error: Error) -> Result<(), Error> {
        self.failures += 1;
        self.idle += self.moved.elapsed();
        let verdict = judge(&error);
        self.doubts += u32::from(verdict == Verdict::Doubtful);
        if verdict == Verdict::Stands || self.doubts > DOUBTS {
            return Err(error);
        }
        let Some(delay) = self.delay(&error) else {
            return Err(self.gave_up(error));
        };
        if self.failures == 1 && matches!(error, Error::Unreachable { .. }) {
            // It may come up in a moment, and it may be mistyped: who can tell should not have to wait.
            let patience = self.options.patience.as_secs();
            tracing::warn!("{}; it is tried again for {patience} s", whole(&error));
        } else {
            tracing::info!(
                "{}; attempt {} follows in {:.1} s",
                whole(&error),
                self.failures + 1,
                delay.as_secs_f32()
            );
        }
        tokio::time::sleep(delay).await;
        self.idle += delay;
        self.moved = Instant::now();
        Ok(())
    }

    /// How long to wait, or `None` when that would be too long.
    fn delay(&mut self, error: &Error) -> Option<Duration> {
        let asked = match error {
            Error::Refused { answer, .. } => answer.retry_after,
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
mod tests {
    use super::*;
    use crate::oci::Answer;

    fn refused(status: u16, retry_after: Option<u64>) -> Error {
        Error::Refused {
            what: "blob".to_owned(),
            registry: "ghcr.io".to_owned(),
            answer: Box::new(Answer {
                status,
                code: None,
                message: None,
                retry_after: retry_after.map(Duration::from_secs),
            }),
        }
    }

    fn attempts() -> Attempts {
        Attempts::new(&RetryOptions {
            patience: Duration::from_millis(200),
            first_delay: Duration::from_millis(2),
            longest_delay: Duration::from_millis(20),
            ..RetryOptions::default()
        })
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_until_patience_is_over() {
        for status in [408, 429, 500, 502, 503, 504] {
            let mut attempts = attempts();
            let mut count = 0;
            let error = loop {
                count += 1;
                if let Err(error) = attempts.failed(refused(status, None)).await {
                    break error;
                }
            };
            let Error::GaveUp {
                attempts: told,
                last,
                ..
            } = error
            else {
                panic!("{error}");
            };
            assert!(matches!(*last, Error::Refused { .. }));
            assert!(told == count && (6..40).contains(&count), "{told} {count}");
        }
    }

    #[tokio::test]
    async fn what_stands_is_reported_at_once_and_as_it_is() {
        for status in [400, 404, 405, 413, 501] {
            let error = attempts().failed(refused(status, None)).await.unwrap_err();
            assert!(matches!(error, Error::Refused { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn who_asks_for_more_time_than_there_is_gets_no_further_request() {
        let error = attempts()
            .failed(refused(429, Some(3600)))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("try again in 3600 s"), "{error}");
    }

    #[tokio::test]
    async fn progress_renews_patience_and_moving_again_does_not() {
        let mut attempts = attempts();
        for position in 1..60 {
            attempts.moved_to(position);
            attempts.failed(refused(503, None)).await.unwrap();
        }
        let mut fruitless = 0;
        while attempts.failed(refused(503, None)).await.is_ok() {
            attempts.moved_to(10);
            fruitless += 1;
        }
        assert!(fruitless < 40);
    }
}
