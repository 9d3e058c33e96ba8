//! Progress bars on the terminal.

use std::io;
use std::sync::Once;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::interruption::Interruption;
use crate::content::{Meter, Progress, Step, Stopped};

/// A step that takes less time than this shows no bar.
const DELAY: Duration = Duration::from_secs(1);

/// Shows bars for long steps, and stops steps after an interruption.
pub(crate) struct Bars {
    /// Where bars are drawn. `None` if they are not shown.
    screen: Option<MultiProgress>,
    interruption: Interruption,
}

impl Bars {
    pub(crate) fn new(visible: bool, interruption: Interruption) -> Self {
        Self {
            // `MultiProgress` draws on standard error.
            screen: visible.then(MultiProgress::new),
            interruption,
        }
    }
}

impl Progress for Bars {
    fn begin(&self, step: Step, total: u64) -> Box<dyn Meter> {
        Box::new(Bar {
            shown: self.screen.clone().map(|screen| Shown {
                screen,
                bar: hidden_bar(step, total),
                once: Once::new(),
            }),
            interruption: self.interruption.clone(),
            begun: Instant::now(),
        })
    }
}

/// The meter of one step.
struct Bar {
    shown: Option<Shown>,
    interruption: Interruption,
    begun: Instant,
}

/// A bar that counts from the start, so that its speed is right, but is drawn only after [`DELAY`].
struct Shown {
    screen: MultiProgress,
    bar: ProgressBar,
    once: Once,
}

impl Meter for Bar {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        if self.interruption.requested() {
            return Err(Stopped.into());
        }
        if let Some(shown) = &self.shown {
            if self.begun.elapsed() > DELAY {
                shown.once.call_once(|| {
                    shown.screen.add(shown.bar.clone());
                });
            }
            shown.bar.inc(bytes);
        }
        Ok(())
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(shown) = &self.shown {
            shown.bar.finish_and_clear();
        }
    }
}

fn hidden_bar(step: Step, total: u64) -> ProgressBar {
    let (length, template) = match total {
        0 => (None, "{msg} {bytes}, {bytes_per_sec}"),
        total => (
            Some(total),
            "{msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
        ),
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden())
        .with_style(style)
        .with_message(word(step))
}

/// The word for a step beside its bar.
fn word(step: Step) -> &'static str {
    match step {
        Step::Copying => "copying",
        Step::Downloading => "downloading",
        Step::Extracting => "extracting",
        Step::Hashing => "hashing",
        Step::Packing => "packing",
        Step::Uploading => "uploading",
        Step::Verifying => "verifying",
        Step::Waiting => "waiting",
        Step::Writing => "writing",
    }
}

#[cfg(test)]
#[path = "tests/progress.rs"]
mod tests;
