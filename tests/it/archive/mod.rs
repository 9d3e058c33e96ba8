//! The archive layer: variants of the format, abuses of it, and other tools for it.

mod bounds;
mod damage;
mod editing;
mod indexing;
mod inserting;
mod never_load;
mod packing;
mod parallel;
mod properties;
mod provider_archive_face;
mod system_tools;
mod variants;
mod worlds;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nkeys::KeyPair;
use wasmcloud_par::archive::Key;

use crate::support::archives::ArchiveBuilder;
use crate::support::block_on;

/// An archive in a directory of its own, and its keys.
struct Fixture {
    directory: tempfile::TempDir,
    path: PathBuf,
    issuer: KeyPair,
    subject: KeyPair,
}

fn key(pair: &KeyPair) -> Key {
    Key::from_seed(&pair.seed().unwrap()).unwrap()
}

/// Writes an archive of two targets under `name`.
fn fixture(name: &str, build: impl FnOnce(ArchiveBuilder) -> Vec<u8>) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
    let builder = ArchiveBuilder::two_targets().keys(issuer.clone(), subject.clone());
    std::fs::write(&path, build(builder)).unwrap();
    Fixture {
        directory,
        path,
        issuer,
        subject,
    }
}

/// A time in seconds since 1970.
fn unix(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Returns the sorted names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
