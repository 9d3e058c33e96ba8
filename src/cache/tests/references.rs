use std::sync::Barrier;
use std::thread;

use super::*;

const NAME: &str = "ghcr.io/x:1";

fn record(content: &[u8], nanoseconds: u32) -> Record {
    let confirmed = UNIX_EPOCH + Duration::new(1_700_000_000, nanoseconds);
    Record {
        descriptor: Descriptor::of("", content),
        content: None,
        confirmed,
        layout: None,
    }
}

#[test]
fn an_older_confirmation_does_not_replace_a_newer_one() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let [older, newer] = [record(b"older", 1), record(b"newer", 2)];
    for record in [&older, &newer, &older] {
        cache.record(NAME, record).unwrap();
    }
    assert_eq!(cache.recorded(NAME).unwrap(), newer);
}

#[test]
fn the_newest_of_many_simultaneous_confirmations_stays() {
    const TASKS: u32 = 8;
    let directory = tempfile::tempdir().unwrap();
    let barrier = Barrier::new(TASKS as usize);
    for round in 0..10 {
        let name = format!("ghcr.io/x:{round}");
        thread::scope(|scope| {
            for task in 0..TASKS {
                let (name, barrier) = (&name, &barrier);
                let cache = Cache::open(Some(directory.path())).unwrap();
                scope.spawn(move || {
                    barrier.wait();
                    cache.record(name, &record(b"", task)).unwrap();
                });
            }
        });
        let cache = Cache::open(Some(directory.path())).unwrap();
        assert_eq!(cache.recorded(&name).unwrap(), record(b"", TASKS - 1));
    }
}

#[test]
fn a_record_is_read_from_its_form_on_disk() {
    let mut record = record(b"x", 2);
    record.layout = Some("/layout".into());
    let text = serde_json::to_value(&record).unwrap();
    assert_eq!(text["confirmed"], 1_700_000_000);
    assert_eq!(text["nanoseconds"], 2);
    assert_eq!(text["layout"], "/layout");
    let stored: Record = serde_json::from_value(text).unwrap();
    assert_eq!(stored, record);
}
