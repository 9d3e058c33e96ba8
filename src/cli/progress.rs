//! Progress bars on the terminal.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use wasmcloud_par::content::{Meter, Progress, Stopped};

use super::interruption::Interruption;

/// Steps that are over sooner than this show no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows steps that take long, and stops them when the user asks for it.
pub(crate) struct Bars {
    /// `None`: nothing is shown.
    screen: Option<MultiProgress>,
    interruption: Interruption,
}

impl Bars {
    pub(crate) fn new(visible: bool, interruption: Interruption) -> Self {
        Self {
            // Draws to standard error.
            screen: visible.then(MultiProgress::new),
            interruption,
        }
    }
}

impl Progress for Bars {
    fn begin(&self, label: &str, total: u64) -> Box<dyn Meter> {
        Box::new(Step {
            screen: self.screen.clone(),
            interruption: self.interruption.clone(),
            label: label.to_owned(),
            total,
            done: AtomicU64::new(0),
            begun: Instant::now(),
            bar: OnceLock::new(),
        })
    }
}

struct Step {
    screen: Option<MultiProgress>,
    interruption: Interruption,
    label: String,
    total: u64,
    done: AtomicU64,
    begun: Instant,
    bar: OnceLock<ProgressBar>,
}

impl Step {
    fn draw(&self, screen: &MultiProgress) -> ProgressBar {
        let bar = if self.total == 0 {
            ProgressBar::new_spinner().with_style(style("{msg} {bytes}, {bytes_per_sec}"))
        } else {
            ProgressBar::new(self.total).with_style(style(
                "{msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            ))
        };
        screen.add(bar.with_message(self.label.clone()))
    }
}

impl Meter for Step {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        if self.interruption.requested() {
            return Err(Stopped.into());
        }
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if let Some(screen) = &self.screen
            && self.begun.elapsed() > PATIENCE
        {
            self.bar
                .get_or_init(|| self.draw(screen))
                .set_position(done);
        }
        Ok(())
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_stops_every_step() {
        let interruption = Interruption::default();
        let bars = Bars::new(false, interruption.clone());
        let meter = bars.begin("packing", 10);
        meter.advance(5).unwrap();
        interruption.request();
        let error = meter.advance(5).unwrap_err();
        assert!(error.downcast::<Stopped>().is_ok());
    }
}
