use std::fs;
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
fn a_tag_does_not_get_the_record_of_a_tag_that_differs_in_case() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let names = ["ghcr.io/x:Tag", "ghcr.io/x:tag", "ghcr.io/x:other"];
    let paths = names.map(|name| cache.paths.reference(name).unwrap());
    cache.record(names[0], &record(b"upper", 2)).unwrap();
    // On a file system that ignores case, this is the file of both tags.
    fs::rename(&paths[0], &paths[1]).unwrap();
    let missing = cache.recorded(names[1]).unwrap_err();
    assert!(matches!(missing, Error::NoReference(_)), "{missing}");
    // Lists of all records show it with its own tag.
    let listed = cache.listed(names[1]).unwrap();
    assert_eq!(listed, (names[0].to_owned(), record(b"upper", 2)));
    cache.record(names[1], &record(b"lower", 1)).unwrap();
    assert_eq!(cache.recorded(names[1]).unwrap(), record(b"lower", 1));

    fs::rename(&paths[1], &paths[2]).unwrap();
    assert!(cache.listed(names[2]).is_err());
}

#[test]
fn older_and_newer_versions_read_the_records_of_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    cache.record(NAME, &record(b"x", 1)).unwrap();
    let path = cache.paths.reference(NAME).unwrap();
    // An older version knows the fields of `Record` only, and writes no others.
    let known: Record = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(known, record(b"x", 1));
    fs::write(&path, serde_json::to_vec(&known).unwrap()).unwrap();
    assert_eq!(cache.recorded(NAME).unwrap(), known);
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
