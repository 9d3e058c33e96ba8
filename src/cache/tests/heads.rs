use std::fs::{File, FileTimes};
use std::time::{Duration, UNIX_EPOCH};

use super::super::prune::PruneOptions;
use super::*;

#[test]
fn a_head_belongs_to_one_tag_and_one_manifest() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let [first, second] = [Digest::of(b"1"), Digest::of(b"2")];
    cache.keep_head("ghcr.io/x:1", &first, b"head\n").unwrap();
    assert_eq!(cache.head("ghcr.io/x:1", &first).unwrap(), b"head\n");
    assert_eq!(cache.head("ghcr.io/x:1", &second), None);
    assert_eq!(cache.head("ghcr.io/x:2", &first), None);
    assert!(cache.keep_head("ghcr.io/../x:1", &first, b"").is_err());
}

#[test]
fn reading_a_head_counts_as_a_use() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let manifest = Digest::of(b"1");
    cache.keep_head("ghcr.io/x:1", &manifest, b"head").unwrap();
    let path = cache.paths.head("ghcr.io/x:1").unwrap();
    let times = FileTimes::new()
        .set_accessed(UNIX_EPOCH)
        .set_modified(UNIX_EPOCH);
    File::open(path).unwrap().set_times(times).unwrap();
    let old = PruneOptions::default().with_max_age(Duration::from_secs(60));

    cache.head("ghcr.io/x:1", &manifest).unwrap();
    assert!(cache.prune(&old).unwrap().removed.is_empty());
}
