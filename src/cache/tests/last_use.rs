use std::fs;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use super::*;

const LONG_AGO: Duration = Duration::from_secs(1000);

/// Returns a file whose last use was long ago, and its path.
fn unused(directory: &Path) -> (File, PathBuf) {
    let path = directory.join("file");
    fs::write(&path, "content").unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    set(&file, &path, UNIX_EPOCH + LONG_AGO);
    (file, path)
}

#[test]
fn reading_does_not_count_as_a_use() {
    let directory = tempfile::tempdir().unwrap();
    let (file, path) = unused(directory.path());
    let last_use = LastUse::of(&file).unwrap();
    fs::read(&path).unwrap();
    last_use.restore(&file, &path);
    let used = file.metadata().unwrap().accessed().unwrap();
    assert_eq!(used, UNIX_EPOCH + LONG_AGO);
}

#[cfg(unix)]
#[test]
fn a_use_that_another_task_notes_meanwhile_stays() {
    let directory = tempfile::tempdir().unwrap();
    let (file, path) = unused(directory.path());
    let last_use = LastUse::of(&file).unwrap();
    fs::read(&path).unwrap();
    // The clock of the file system may have large steps.
    while change_time(&file.metadata().unwrap()) == last_use.changed {
        note_use(&file, &path);
    }
    last_use.restore(&file, &path);
    let used = file.metadata().unwrap().accessed().unwrap();
    assert!(used.elapsed().unwrap() < Duration::from_secs(600));
}
