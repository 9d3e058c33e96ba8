use std::sync::{Arc, Mutex};

use indicatif::TermLike;

use super::*;

#[test]
fn an_interruption_stops_every_step() {
    let interruption = Interruption::default();
    let bars = Bars::new(Display::Hidden, interruption.clone());
    let meter = bars.begin(Step::Packing, 10);
    meter.advance(5).unwrap();
    interruption.request();
    let error = meter.advance(5).unwrap_err();
    assert!(error.downcast::<Stopped>().is_ok());
}

/// A terminal of 60 columns that records the drawn lines.
#[derive(Debug, Clone, Default)]
struct Narrow(Arc<Mutex<Vec<String>>>);

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        60
    }

    fn height(&self) -> u16 {
        24
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write_str(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push(text.to_owned());
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_bar_fits_60_columns() {
    const MIB: u64 = 1 << 20;
    for (step, total) in [
        (Step::Downloading, 1023 * MIB),
        (Step::Downloading, 1000),
        (Step::Uploading, 12 * MIB),
        (Step::Verifying, 0),
    ] {
        let terminal = Narrow::default();
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let bar = hidden_bar(step, total);
        bar.set_draw_target(target);
        bar.inc(total / 3);
        bar.tick();
        let drawn = terminal.0.lock().unwrap().clone();
        let drawn = drawn.iter().rfind(|text| !text.trim().is_empty()).unwrap();
        assert!(drawn.trim_end().chars().count() <= 60, "{drawn:?}");
        assert!(drawn.starts_with(word(step)), "{drawn:?}");
        if total > 0 {
            assert!(drawn.contains('['), "{drawn:?}");
            // The end of the line is complete.
            let (_, end) = drawn.split_once("] ").unwrap();
            let [amount, speed, left] = end.split(", ").collect::<Vec<_>>()[..] else {
                panic!("{drawn:?}");
            };
            assert!(
                amount.contains(" of ") && speed.ends_with("B/s"),
                "{drawn:?}"
            );
            assert!(left.trim_end().ends_with('s'), "{drawn:?}");
        }
    }
    assert_eq!(amount(12 * MIB, 1023 * MIB), "12.0 of 1023.0 MiB");
    assert_eq!(amount(1, 5), "1 of 5 B");
}
