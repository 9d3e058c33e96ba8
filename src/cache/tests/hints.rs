use std::fs::{self, File, FileTimes};
use std::time::{Duration, UNIX_EPOCH};

use super::super::prune_options::PruneOptions;
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

fn cache() -> (tempfile::TempDir, Cache, Digest) {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    (directory, cache, Digest::of(b"content"))
}

#[test]
fn the_latest_repository_comes_first_and_the_oldest_is_forgotten() {
    let (_directory, cache, digest) = cache();
    assert_eq!(cache.places(&digest), [""; 0]);
    for number in 0..10 {
        let place = format!("ghcr.io/org/provider{number}");
        cache.note_place(&digest, &place).unwrap();
    }
    cache.note_place(&digest, "ghcr.io/org/provider5").unwrap();
    let expected = [5, 9, 8, 7, 6, 4, 3, 2];
    let expected = expected.map(|number| format!("ghcr.io/org/provider{number}"));
    assert_eq!(cache.places(&digest), expected);
    assert_eq!(cache.places(&Digest::of(b"other")), [""; 0]);
}

#[test]
fn a_damaged_list_counts_as_empty_and_is_written_again() {
    let (_directory, cache, digest) = cache();
    let place = "localhost:5000/provider";
    cache.note_place(&digest, place).unwrap();
    let path = cache.paths.places(&digest);
    let long = format!("a/{}\n", "b".repeat(NAME_LIMIT)).repeat(1000);
    for damage in [
        b"\xff\xfe\n".as_slice(),
        b"\n\nno-repository\nghcr.io/../x\nghcr.io/a b\n/x\n",
        long.as_bytes(),
        b"",
    ] {
        fs::write(&path, damage).unwrap();
        assert_eq!(cache.places(&digest), [""; 0]);
        cache.note_place(&digest, place).unwrap();
        assert_eq!(cache.places(&digest), [place]);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(cache.places(&digest), [""; 0]);
    cache.note_place(&digest, place).unwrap();
    assert_eq!(cache.places(&digest), [place]);
    assert!(cache.note_place(&digest, "../../etc/passwd").is_err());
}

#[cfg(unix)]
#[test]
fn other_users_cannot_read_the_names_of_repositories() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, cache, digest) = cache();
    cache.note_place(&digest, "ghcr.io/org/provider").unwrap();
    let metadata = fs::metadata(cache.paths.places(&digest)).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}
