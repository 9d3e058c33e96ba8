use std::path::{Path, PathBuf};

use super::*;

#[test]
fn the_hint_about_a_directory_inside_the_cache_names_the_cache() {
    let within = Error::WithinCache(PathBuf::from("/cache/v1/blobs"));
    let hint = cache_hint(&within).unwrap();
    assert!(hint.ends_with(": /cache/v1"), "{hint}");
}

#[test]
fn a_damaged_pin_names_the_repository_to_forget() {
    let damaged = Error::DamagedPin {
        place: "ghcr.io/org/provider".to_owned(),
        path: Path::new("/cache/pin").to_owned(),
    };
    let hint = cache_hint(&damaged).unwrap();
    assert!(
        hint.contains("`par trust forget ghcr.io/org/provider`"),
        "{hint}"
    );
}

#[test]
fn the_hint_about_a_full_disk_is_about_the_directory_on_it() {
    let (path, full) = (
        || PathBuf::from("/full/file"),
        || std::io::ErrorKind::StorageFull.into(),
    );
    for (error, named, other) in [
        (
            Error::StateFile {
                path: path(),
                source: full(),
            },
            "--state-dir",
            "cache",
        ),
        (
            Error::StateDirectory {
                path: path(),
                source: full(),
            },
            "--state-dir",
            "cache",
        ),
        (
            Error::File {
                path: path(),
                source: full(),
            },
            "--cache-dir",
            "state",
        ),
    ] {
        let hint = cache_hint(&error).unwrap();
        assert!(hint.contains(named) && !hint.contains(other), "{hint}");
    }
}
