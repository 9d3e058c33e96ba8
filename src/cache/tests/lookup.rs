use std::fs::{create_dir_all, write};
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::time::{Duration, SystemTime};

use super::*;
use crate::content::{LONG_WORK, Meter, RuntimeEnded};

/// Stands for another task, which uses the file at this path when verifying begins.
struct Using(PathBuf);

impl Progress for Using {
    fn begin(&self, step: Step, total: u64) -> Box<dyn Meter> {
        use std::os::unix::fs::MetadataExt;
        let file = File::open(&self.0).unwrap();
        let changed = || {
            let metadata = file.metadata().unwrap();
            (metadata.ctime(), metadata.ctime_nsec())
        };
        // The clock of the file system may have large steps.
        let before = changed();
        while changed() == before {
            note_use(&file, &self.0);
        }
        Silent.begin(step, total)
    }
}

#[test]
fn verifying_content_keeps_the_time_of_a_use_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let digest = Digest::of(b"content");
    let path = cache.paths.content(Kind::Blob, &digest);
    create_dir_all(path.parent().unwrap()).unwrap();
    write(&path, "content").unwrap();
    let file = File::open(&path).unwrap();
    let idle = || {
        let used = file.metadata().unwrap().accessed().unwrap();
        used.elapsed().unwrap()
    };
    let day = Duration::from_secs(24 * 60 * 60);
    let long_ago = FileTimes::new().set_accessed(SystemTime::now() - day);
    file.set_times(long_ago).unwrap();

    assert!(cache.reread(Kind::Blob, &digest, &Silent).unwrap());
    assert!(idle() >= day);
    let using = Using(path.clone());
    assert!(cache.reread(Kind::Blob, &digest, &using).unwrap());
    assert!(idle() < day);
}

#[tokio::test]
async fn verifying_content_again_leaves_threads_for_short_work() {
    const LONG_AT_ONCE: usize = 6;
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let [sealed, unsealed] = [&b"sealed"[..], b"unsealed"].map(|content| {
        let digest = Digest::of(content);
        let path = cache.paths.content(Kind::Blob, &digest);
        create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, content).unwrap();
        digest
    });
    assert!(cache.hold_async(&sealed).await.unwrap().is_some());

    let gate = Arc::new(Barrier::new(LONG_AT_ONCE + 1));
    let pass = |gate: &Arc<Barrier>| {
        let gate = Arc::clone(gate);
        move || {
            gate.wait();
        }
    };
    for _ in 0..LONG_AT_ONCE {
        let (begin, end) = (pass(&gate), pass(&gate));
        tokio::spawn(LONG_WORK.blocking(move || {
            begin();
            end();
            Ok::<_, RuntimeEnded>(())
        }));
    }
    tokio::task::spawn_blocking(pass(&gate)).await.unwrap();
    let mut waiting = pin!(cache.hold_async(&unsealed));
    // Verifying so few bytes would end at once.
    let early = tokio::time::timeout(Duration::from_millis(200), &mut waiting).await;
    assert!(early.is_err());
    assert!(cache.hold_async(&sealed).await.unwrap().is_some());
    tokio::task::spawn_blocking(pass(&gate)).await.unwrap();
    assert!(waiting.await.unwrap().is_some());
}
