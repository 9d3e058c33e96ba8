use std::time::Instant;

use super::*;

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_task_waits_for_another_one_of_its_process_without_polling() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let first = LockedFile::try_open(&path).unwrap().unwrap();
    let busy = LockedFile::try_open(&path).unwrap().unwrap_err();
    let begun = Instant::now();
    let waiting = tokio::spawn(busy.wait(LONG));
    drop(first);
    waiting.await.unwrap();
    assert!(begun.elapsed() < LONG);
    LockedFile::try_open(&path).unwrap().unwrap();
}

#[test]
fn a_failed_attempt_leaves_no_lock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    // `TURNS` does not list this lock, as if another process had it.
    let other = Lock::wait_for(&path).unwrap();
    for _ in 0..2 {
        let busy = LockedFile::try_open(&path).unwrap().unwrap_err();
        assert!(busy.unlocked.is_none());
    }
    assert!(Lock::is_held(&path).unwrap());
    drop(other);
    drop(Lock::attempt(&path).unwrap().unwrap());
    assert!(!path.exists());
}
