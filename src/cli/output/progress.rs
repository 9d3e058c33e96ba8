//! Progress: bars on a terminal, lines elsewhere.

use std::fmt;
use std::io;
use std::sync::Once;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::cli::interruption::Interruption;
use crate::content::{Meter, Progress, Step, Stopped};

use super::progress_lines::Lines;

/// A step that takes less time than this shows no bar.
const DELAY: Duration = Duration::from_secs(1);

/// Shows long steps, and stops steps after an interruption.
pub(crate) struct Bars {
    screen: Screen,
    interruption: Interruption,
}

/// The way in which long steps are shown.
pub(crate) enum Display {
    /// Steps are not shown.
    Hidden,
    /// As bars on standard error, which is a terminal.
    Bars,
    /// As a line every 15 seconds on standard error, which is not a terminal.
    Lines(Lines),
}

/// The display that all steps share.
enum Screen {
    Hidden,
    Bars(MultiProgress),
    Lines(Lines),
}

impl Bars {
    pub(crate) fn new(display: Display, interruption: Interruption) -> Self {
        let screen = match display {
            Display::Hidden => Screen::Hidden,
            // `MultiProgress` draws on standard error.
            Display::Bars => Screen::Bars(MultiProgress::new()),
            Display::Lines(lines) => Screen::Lines(lines),
        };
        Self {
            screen,
            interruption,
        }
    }
}

impl Progress for Bars {
    fn begin(&self, step: Step, total: u64) -> Box<dyn Meter> {
        let shown = match &self.screen {
            Screen::Hidden => Shown::Hidden,
            Screen::Bars(screen) => Shown::Bar(Bar {
                screen: screen.clone(),
                bar: hidden_bar(step, total),
                once: Once::new(),
                begun: Instant::now(),
            }),
            Screen::Lines(lines) => {
                lines.begin(step, total);
                Shown::Line(lines.clone(), step)
            }
        };
        Box::new(Counted {
            shown,
            interruption: self.interruption.clone(),
        })
    }
}

/// The meter of one step.
struct Counted {
    shown: Shown,
    interruption: Interruption,
}

/// The display of one step.
enum Shown {
    Hidden,
    Bar(Bar),
    Line(Lines, Step),
}

/// A bar that counts from the start, so that its speed is right, but is drawn only after [`DELAY`].
struct Bar {
    screen: MultiProgress,
    bar: ProgressBar,
    once: Once,
    begun: Instant,
}

impl Bar {
    fn advance(&self, bytes: u64) {
        if self.begun.elapsed() > DELAY {
            self.once.call_once(|| {
                self.screen.add(self.bar.clone());
            });
        }
        self.bar.inc(bytes);
    }
}

impl Meter for Counted {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        if self.interruption.requested() {
            return Err(Stopped.into());
        }
        match &self.shown {
            Shown::Hidden => {}
            Shown::Bar(bar) => bar.advance(bytes),
            Shown::Line(lines, step) => lines.advance(*step, bytes),
        }
        Ok(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        match &self.shown {
            Shown::Hidden => {}
            Shown::Bar(bar) => bar.bar.finish_and_clear(),
            Shown::Line(lines, step) => lines.end(*step),
        }
    }
}

/// Returns a bar that is not drawn yet. It fills the width of the terminal, and fits one of 60 columns.
fn hidden_bar(step: Step, total: u64) -> ProgressBar {
    let (length, template) = match total {
        0 => (None, "{msg} {bytes}, {bytes_per_sec}"),
        total => (
            Some(total),
            "{msg} [{wide_bar}] {amount}, {bytes_per_sec}, {eta}",
        ),
    };
    let amount = |state: &ProgressState, text: &mut dyn fmt::Write| {
        // A failure is ignored: the bar only lacks the text.
        let _ = text.write_str(&amount(state.pos(), state.len().unwrap_or_default()));
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("amount", amount)
        .progress_chars("=> ");
    ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden())
        .with_style(style)
        .with_message(word(step))
}

/// Returns how much is done, as in `12.3 of 800.0 MiB`. Both numbers have the unit that suits the total.
fn amount(done: u64, total: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    // The precision of `f64` is enough for four digits.
    #[allow(clippy::cast_precision_loss)]
    let (mut done, mut total) = (done as f64, total as f64);
    let mut units = UNITS.into_iter();
    let mut unit = units.next().unwrap_or_default();
    while total >= 1024.0 {
        let Some(next) = units.next() else { break };
        unit = next;
        (done, total) = (done / 1024.0, total / 1024.0);
    }
    if unit == "B" {
        return format!("{done:.0} of {total:.0} B");
    }
    format!("{done:.1} of {total:.1} {unit}")
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
