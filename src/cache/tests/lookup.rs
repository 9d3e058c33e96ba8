use std::fs::{create_dir_all, write};
use std::time::{Duration, SystemTime};

use super::*;
use crate::content::Meter;

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
