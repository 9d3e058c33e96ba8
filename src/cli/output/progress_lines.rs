//! Lines about long steps, for logs, where no terminal shows bars.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytesize::ByteSize;

use crate::content::Step;

/// The time between two lines.
const INTERVAL: Duration = Duration::from_secs(15);
/// The variable with another time in seconds. Only tests set it.
const INTERVAL_VARIABLE: &str = "PAR_PROGRESS_INTERVAL";

/// Prints lines about the steps in progress, at most one line in each interval. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Lines {
    shared: Arc<Shared>,
}

struct Shared {
    interval: Duration,
    now: Box<dyn Fn() -> Instant + Send + Sync>,
    print: Box<dyn Fn(&str) + Send + Sync>,
    state: Mutex<State>,
}

struct State {
    /// When the last line was printed, or when the command began.
    last: Instant,
    steps: Vec<Running>,
}

/// The steps of one kind in progress. There can be several, because a copy sends several blobs at a time.
struct Running {
    step: Step,
    /// How many of these steps have not ended.
    count: usize,
    /// How many bytes of these steps are done.
    done: u64,
    /// The total of bytes of these steps. `None` if the size of one is unknown.
    total: Option<u64>,
}

impl Lines {
    /// Returns lines that are printed with `print`, with the usual time between them.
    pub(crate) fn new(print: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let seconds = std::env::var(INTERVAL_VARIABLE).ok();
        let seconds = seconds.and_then(|seconds| seconds.parse().ok());
        let interval = seconds.map_or(INTERVAL, Duration::from_secs);
        Self::with_clock(interval, Instant::now, print)
    }

    fn with_clock(
        interval: Duration,
        now: impl Fn() -> Instant + Send + Sync + 'static,
        print: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        let last = now();
        Self {
            shared: Arc::new(Shared {
                interval,
                now: Box::new(now),
                print: Box::new(print),
                state: Mutex::new(State {
                    last,
                    steps: Vec::new(),
                }),
            }),
        }
    }

    /// Begins a step of `total` bytes. 0 stands for an unknown size.
    pub(super) fn begin(&self, step: Step, total: u64) {
        self.change(|state| {
            let total = (total > 0).then_some(total);
            match state.steps.iter_mut().find(|running| running.step == step) {
                Some(running) => {
                    running.count += 1;
                    running.total = running
                        .total
                        .zip(total)
                        .map(|(one, other)| one.saturating_add(other));
                }
                None => state.steps.push(Running {
                    step,
                    count: 1,
                    done: 0,
                    total,
                }),
            }
        });
    }

    /// Counts `bytes` of a step as done, and prints a line when it is time for one.
    pub(super) fn advance(&self, step: Step, bytes: u64) {
        let now = (self.shared.now)();
        let line = self.change(|state| {
            let running = state
                .steps
                .iter_mut()
                .find(|running| running.step == step)?;
            running.done = running.done.saturating_add(bytes);
            if now.duration_since(state.last) < self.shared.interval {
                return None;
            }
            state.last = now;
            Some(running.line())
        });
        if let Some(line) = line {
            (self.shared.print)(&line);
        }
    }

    /// Ends a step.
    pub(super) fn end(&self, step: Step) {
        self.change(|state| {
            if let Some(running) = state.steps.iter_mut().find(|running| running.step == step) {
                running.count = running.count.saturating_sub(1);
            }
            state.steps.retain(|running| running.count > 0);
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let state = self.shared.state.lock();
        change(&mut state.unwrap_or_else(PoisonError::into_inner))
    }
}

impl Running {
    fn line(&self) -> String {
        let (verb, done) = (past(self.step), bytes(self.done));
        match self.total {
            Some(total) => {
                let percent = u128::from(self.done.min(total)) * 100 / u128::from(total.max(1));
                format!("{verb} {done} of {} ({percent} %)", bytes(total))
            }
            None => format!("{verb} {done}"),
        }
    }
}

/// Returns a number of bytes for people, in powers of 1024 as beside the bars.
pub(crate) fn bytes(count: u64) -> String {
    ByteSize(count).display().iec().to_string()
}

/// Returns the verb for a step in the past tense.
fn past(step: Step) -> &'static str {
    match step {
        Step::Copying => "copied",
        Step::Downloading => "received",
        Step::Extracting => "extracted",
        Step::Hashing => "hashed",
        Step::Packing => "packed",
        Step::Uploading => "sent",
        Step::Verifying => "verified",
        Step::Waiting => "waited",
        Step::Writing => "wrote",
    }
}

#[cfg(test)]
#[path = "tests/progress_lines.rs"]
mod tests;
