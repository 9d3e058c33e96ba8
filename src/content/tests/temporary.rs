use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

#[test]
fn a_directory_that_another_process_takes_for_a_leftover_is_not_used() {
    let parent = tempfile::tempdir().unwrap();
    let locked = tempfile::tempdir_in(parent.path()).unwrap();
    let other = File::open(locked.path()).unwrap();
    other.try_lock().unwrap();
    assert!(TemporaryDirectory::lock(locked).is_none());

    let removed = tempfile::tempdir_in(parent.path()).unwrap();
    fs::remove_dir(removed.path()).unwrap();
    assert!(TemporaryDirectory::lock(removed).is_none());
}

#[test]
fn a_new_directory_stays_while_another_process_removes_leftovers() {
    let parent = tempfile::tempdir().unwrap();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                for entry in fs::read_dir(parent.path()).unwrap().flatten() {
                    // The lock lasts while the directory is removed.
                    if let Ok(opened) = File::open(entry.path())
                        && opened.try_lock().is_ok()
                    {
                        // The other thread may have removed it.
                        let _ = fs::remove_dir_all(entry.path());
                    }
                }
            }
        });
        let lost = (0..1000).filter(|_| {
            let created = TemporaryDirectory::create_in(parent.path());
            let written = created.and_then(|created| fs::write(created.path().join("file"), ""));
            written.is_err()
        });
        let lost = lost.count();
        ended.store(true, Ordering::Relaxed);
        assert_eq!(lost, 0);
    });
}
