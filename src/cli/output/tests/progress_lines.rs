use super::*;

const MIB: u64 = 1 << 20;

/// Lines with a clock that the test sets, and their output.
struct Fixture {
    lines: Lines,
    seconds: Arc<Mutex<u64>>,
    printed: Arc<Mutex<Vec<String>>>,
}

impl Fixture {
    fn new() -> Self {
        let (seconds, printed) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (start, clock, sink) = (Instant::now(), Arc::clone(&seconds), Arc::clone(&printed));
        let now = move || start + Duration::from_secs(*clock.lock().unwrap());
        let print = move |line: &str| sink.lock().unwrap().push(line.to_owned());
        Self {
            lines: Lines::with_clock(INTERVAL, now, print),
            seconds,
            printed,
        }
    }

    /// Advances a step at this second, and returns the printed lines.
    fn at(&self, second: u64, step: Step, bytes: u64) -> Vec<String> {
        *self.seconds.lock().unwrap() = second;
        self.lines.advance(step, bytes);
        std::mem::take(&mut self.printed.lock().unwrap())
    }
}

#[test]
fn there_is_a_line_every_15_seconds() {
    let fixture = Fixture::new();
    fixture.lines.begin(Step::Uploading, 800 * MIB);
    assert_eq!(fixture.at(1, Step::Uploading, 100 * MIB), [""; 0]);
    assert_eq!(fixture.at(14, Step::Uploading, MIB), [""; 0]);
    let line = "sent 120.0 MiB of 800.0 MiB (15 %)";
    assert_eq!(fixture.at(15, Step::Uploading, 19 * MIB), [line]);
    assert_eq!(fixture.at(29, Step::Uploading, MIB), [""; 0]);
    let line = "sent 122.0 MiB of 800.0 MiB (15 %)";
    assert_eq!(fixture.at(31, Step::Uploading, MIB), [line]);
}

#[test]
fn steps_of_one_kind_are_counted_together_until_all_have_ended() {
    let fixture = Fixture::new();
    for _ in 0..2 {
        fixture.lines.begin(Step::Copying, 10 * MIB);
    }
    fixture.at(1, Step::Copying, 10 * MIB);
    fixture.lines.end(Step::Copying);
    let line = "copied 15.0 MiB of 20.0 MiB (75 %)";
    assert_eq!(fixture.at(20, Step::Copying, 5 * MIB), [line]);
    fixture.lines.end(Step::Copying);
    fixture.lines.begin(Step::Copying, 4 * MIB);
    let line = "copied 1.0 MiB of 4.0 MiB (25 %)";
    assert_eq!(fixture.at(40, Step::Copying, MIB), [line]);
}

#[test]
fn a_step_of_unknown_size_has_no_percentage() {
    let fixture = Fixture::new();
    fixture.lines.begin(Step::Verifying, 0);
    let line = "verified 3.0 MiB";
    assert_eq!(fixture.at(60, Step::Verifying, 3 * MIB), [line]);
}
