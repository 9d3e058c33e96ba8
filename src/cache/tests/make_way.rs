use std::fs;

use super::super::open::Cache;
use crate::content::Digest;

#[test]
fn files_in_the_place_of_directories_are_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let paths = &cache.paths;
    let digest = Digest::of(b"content");
    for path in [
        paths.partial(&digest),
        paths.programs(&digest).join("name"),
        paths.reference("ghcr.io/org/x:1").unwrap(),
    ] {
        let within = path.ancestors().skip(1);
        for above in within.take_while(|above| *above != paths.root()) {
            fs::remove_dir_all(above).ok();
            fs::create_dir_all(above.parent().unwrap()).unwrap();
            fs::write(above, "a file").unwrap();
            paths.make_way(&path).unwrap();
            fs::write(&path, "content").unwrap();
            // A regular file stays.
            paths.make_way(&path).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"content");
        }
    }
}

#[test]
fn a_file_in_the_place_of_the_cache_stays() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let root = cache.directory();
    fs::remove_dir(root).unwrap();
    fs::write(root, "a file").unwrap();
    let path = cache.paths.partial(&Digest::of(b"content"));
    assert!(cache.paths.make_way(&path).is_err());
    assert_eq!(fs::read(root).unwrap(), b"a file");
}

#[cfg(unix)]
#[test]
fn links_to_directories_and_to_nothing_stay() {
    use std::os::unix::fs::symlink;

    let directory = tempfile::tempdir().unwrap();
    let elsewhere = directory.path().join("elsewhere");
    let cache = Cache::open(Some(&directory.path().join("cache"))).unwrap();
    let path = cache.paths.partial(&Digest::of(b"content"));
    let link = cache.paths.root().join("partial");
    symlink(&elsewhere, &link).unwrap();
    assert!(cache.paths.make_way(&path).is_err());
    fs::create_dir(&elsewhere).unwrap();
    cache.paths.make_way(&path).unwrap();
    assert!(elsewhere.join("sha256").is_dir());
    assert!(link.is_symlink());
    // A loop leads to no directory.
    fs::remove_file(&link).unwrap();
    symlink("partial", &link).unwrap();
    cache.paths.make_way(&path).unwrap();
    assert!(!link.is_symlink());
}
