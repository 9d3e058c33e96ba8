use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::slice::from_ref;
use std::time::SystemTime;

use super::super::error::Error;
use super::super::lock::Lock;
use super::super::open::Cache;
use super::super::paths::Kind;
use super::super::providers::{ClaimsIn, Provider};
use super::super::prune_options::PruneOptions;
use super::super::references::Record;
use super::super::seal::seal;
use super::*;
use crate::content::{Descriptor, Digest, Silent};

const TAG: &str = "ghcr.io/org/provider:1.0.0";
const PLACE: &str = "ghcr.io/org/provider";

type Obstruct = fn(&Path, &Path);

/// The ways in which something else can be at the path of a file, each with its name. The second path leads to a file
/// elsewhere.
const OBSTRUCTIONS: [(&str, Obstruct); 6] = [
    ("a directory", |path, _| {
        fs::create_dir_all(path.join("within")).unwrap();
        fs::write(path.join("within/file"), "content").unwrap();
    }),
    ("a pipe", |path, _| {
        let made = Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    }),
    ("a link to a file", |path, other| {
        symlink(other, path).unwrap()
    }),
    ("a link to a directory", |path, other| {
        symlink(other.parent().unwrap(), path).unwrap();
    }),
    ("a link to nothing", |path, _| {
        symlink("nothing", path).unwrap()
    }),
    ("a loop", |path, _| symlink(path, path).unwrap()),
];

/// A cache, and a file elsewhere, to which links lead.
struct Cached {
    directory: tempfile::TempDir,
    cache: Cache,
    digest: Digest,
}

impl Cached {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("elsewhere")).unwrap();
        let cached = Self {
            cache: Cache::open(Some(&directory.path().join("cache"))).unwrap(),
            digest: Digest::of(b"content"),
            directory,
        };
        fs::write(cached.elsewhere(), "content").unwrap();
        cached
    }

    fn elsewhere(&self) -> PathBuf {
        self.directory.path().join("elsewhere/file")
    }

    /// Puts something else at the path of a file.
    fn obstruct(&self, path: &Path, obstruct: Obstruct) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        remove(path).unwrap();
        obstruct(path, &self.elsewhere());
    }

    fn is_untouched(&self) {
        assert_eq!(fs::read(self.elsewhere()).unwrap(), b"content");
    }

    /// Returns the paths of files of every purpose.
    fn paths(&self) -> Vec<PathBuf> {
        let (paths, digest) = (&self.cache.paths, &self.digest);
        vec![
            paths.content(Kind::Blob, digest),
            paths.content(Kind::Executable, digest),
            paths.partial(digest),
            paths.lock(digest),
            paths.upload(PLACE, digest),
            paths.places(digest),
            paths.programs(digest).join("name"),
            paths.provider(digest),
            paths.bundle(digest, digest),
            paths.no_answer("ghcr.io").unwrap(),
            paths.listed_by_clients("ghcr.io").unwrap(),
            paths.reference(TAG).unwrap(),
            paths.reference_lock(TAG).unwrap(),
            paths.head(TAG).unwrap(),
        ]
    }

    /// Returns what is in the place of directories, each with a file that belongs into that directory.
    fn directories(&self) -> Vec<PathBuf> {
        let paths = self.paths();
        let root = self.cache.paths.root();
        let above = paths.iter().flat_map(|path| {
            let above = path.ancestors().skip(1);
            above.take_while(|above| *above != root)
        });
        let mut above: Vec<_> = above.map(Path::to_owned).collect();
        above.sort();
        above.dedup();
        above
    }
}

fn record(digest: &Digest) -> Record {
    Record {
        descriptor: Descriptor {
            media_type: String::new(),
            digest: digest.clone(),
            size: 7,
        },
        content: None,
        confirmed: SystemTime::now(),
        layout: None,
    }
}

fn provider(digest: &Digest) -> Provider {
    Provider {
        subject: "V".to_owned(),
        issuer: "A".to_owned(),
        name: None,
        version: None,
        valid: (None, None),
        claims: ClaimsIn::Manifest,
        executables: [("x-linux".to_owned(), digest.clone())].into(),
        layers: Vec::new(),
        indexes: Vec::new(),
        repositories: Vec::new(),
    }
}

#[test]
fn a_record_in_whose_place_something_else_is_counts_as_missing_and_is_written() {
    type Write = fn(&Cache, &Digest) -> Result<(), Error>;
    type IsThere = fn(&Cache, &Digest) -> bool;
    let cached = Cached::new();
    let (cache, digest) = (&cached.cache, &cached.digest);
    let paths = &cache.paths;
    let records: [(PathBuf, Write, IsThere); 6] = [
        (
            paths.reference(TAG).unwrap(),
            |cache, digest| cache.record(TAG, &record(digest)),
            |cache, _| cache.recorded(TAG).is_ok(),
        ),
        (
            paths.reference_lock(TAG).unwrap(),
            |cache, digest| cache.record(TAG, &record(digest)),
            |cache, _| {
                let lock = cache.paths.reference_lock(TAG).unwrap();
                !lock.exists() && lock.symlink_metadata().is_err()
            },
        ),
        (
            paths.provider(digest),
            |cache, digest| cache.describe(digest, provider(digest)),
            |cache, digest| cache.described(digest).unwrap().is_some(),
        ),
        (
            paths.head(TAG).unwrap(),
            |cache, digest| cache.keep_head(TAG, digest, b"head"),
            |cache, digest| cache.head(TAG, digest).is_some(),
        ),
        (
            paths.places(digest),
            |cache, digest| cache.note_place(digest, PLACE),
            |cache, digest| !cache.places(digest).is_empty(),
        ),
        (
            paths.no_answer("ghcr.io").unwrap(),
            |cache, _| cache.note_no_answer("ghcr.io", "silence"),
            |cache, _| cache.no_answer("ghcr.io").is_some(),
        ),
    ];
    for (path, write, is_there) in records {
        for (name, obstruct) in OBSTRUCTIONS {
            cached.obstruct(&path, obstruct);
            assert!(!is_there(cache, digest), "{path:?}, {name}");
            write(cache, digest).unwrap();
            assert!(is_there(cache, digest), "{path:?}, {name}");
        }
    }
    for (_, obstruct) in OBSTRUCTIONS {
        cached.obstruct(&paths.no_answer("ghcr.io").unwrap(), obstruct);
        cache.forget_no_answer("ghcr.io").unwrap();
    }
    cached.is_untouched();
}

#[tokio::test]
async fn content_in_whose_place_something_else_is_is_received() {
    let cached = Cached::new();
    let (cache, digest) = (&cached.cache, &cached.digest);
    let paths = &cache.paths;
    let blob = paths.content(Kind::Blob, digest);
    let descriptor = record(digest).descriptor;
    for path in [&blob, &paths.partial(digest), &paths.lock(digest)] {
        for (name, obstruct) in OBSTRUCTIONS {
            remove(&blob).unwrap();
            cached.obstruct(path, obstruct);
            assert!(cache.hold_async(digest).await.unwrap().is_none(), "{name}");
            cache.keep(&descriptor, &"content".into()).await.unwrap();
            assert!(cache.hold_async(digest).await.unwrap().is_some(), "{name}");
            assert!(blob.symlink_metadata().unwrap().is_file(), "{name}");
        }
    }
    for (_, obstruct) in OBSTRUCTIONS {
        cached.obstruct(&paths.upload(PLACE, digest), obstruct);
        assert!(cache.upload(PLACE, digest).unwrap().is_some());
    }
    cached.is_untouched();
}

#[test]
fn a_lock_is_never_taken_through_a_link() {
    let cached = Cached::new();
    let path = cached.cache.paths.lock(&cached.digest);
    for (name, obstruct) in OBSTRUCTIONS {
        cached.obstruct(&path, obstruct);
        assert!(!Lock::is_held(&path).unwrap(), "{name}");
        assert!(Lock::attempt(&path).is_err(), "{name}");
        assert!(Lock::wait_for(&path).is_err(), "{name}");
    }
    cached.is_untouched();
}

#[test]
fn verifying_and_pruning_remove_what_is_in_the_place_of_files_and_directories() {
    type Check = fn(&Cache) -> Vec<PathBuf>;
    let checks: [(&str, Check); 2] = [
        ("verify", |cache| {
            let verified = cache.verify(&Silent).unwrap();
            assert!(verified.failures.is_empty(), "{:?}", verified.failures);
            verified.damaged
        }),
        ("prune", |cache| {
            let dry = PruneOptions::default().with_dry_run(true);
            let dry = cache.prune(&dry).unwrap().removed;
            let pruned = cache.prune(&PruneOptions::default()).unwrap();
            assert!(pruned.failures.is_empty(), "{:?}", pruned.failures);
            assert_eq!(pruned.removed, dry);
            pruned.removed
        }),
    ];
    let cached = Cached::new();
    for (check, run) in checks {
        for path in cached.paths() {
            for (name, obstruct) in OBSTRUCTIONS {
                let case = format!("{check}, {path:?}, {name}");
                cached.obstruct(&path, obstruct);
                assert_eq!(run(&cached.cache), from_ref(&path), "{case}");
                assert!(path.symlink_metadata().is_err(), "{case}");
            }
        }
        for path in cached.directories() {
            fs::remove_dir_all(&path).ok();
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "a file").unwrap();
            assert_eq!(run(&cached.cache), from_ref(&path), "{check}, {path:?}");
            assert!(path.symlink_metadata().is_err(), "{check}, {path:?}");
        }
        assert!(run(&cached.cache).is_empty());
    }
    cached.is_untouched();
}

#[test]
fn files_of_unknown_purpose_stay() {
    let cached = Cached::new();
    let root = cached.cache.paths.root();
    let known = cached.cache.paths.reference(TAG).unwrap();
    let files = [
        root.join("note"),
        root.join("blobs/note"),
        root.join("references/.DS_Store"),
        known.parent().unwrap().with_file_name(".nfs000000000001"),
    ];
    for path in &files {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let verified = cached.cache.verify(&Silent).unwrap();
    assert!(verified.damaged.is_empty());
    let all = PruneOptions::default().with_all(true);
    assert!(cached.cache.prune(&all).unwrap().removed.is_empty());
    assert!(files.iter().all(|path| path.is_file()));
}

#[test]
fn an_executable_in_whose_place_something_else_is_is_removed_with_its_names() {
    let cached = Cached::new();
    let (cache, digest) = (&cached.cache, &cached.digest);
    let path = cache.paths.content(Kind::Executable, digest);
    for (name, obstruct) in OBSTRUCTIONS {
        let program = cache.paths.programs(digest).join("name");
        for file in [&path, &program] {
            cache.paths.make_way(file).unwrap();
        }
        fs::write(&path, "content").unwrap();
        seal(&File::open(&path).unwrap(), Kind::Executable.mode()).unwrap();
        fs::hard_link(&path, &program).unwrap();
        fs::remove_file(&path).unwrap();
        cached.obstruct(&path, obstruct);
        let verified = cache.verify(&Silent).unwrap();
        assert_eq!(verified.damaged, from_ref(&path), "{name}");
        assert!(!program.exists(), "{name}");
    }
}
