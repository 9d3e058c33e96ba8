//! Damaged files are never served, and replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::Provider;
use crate::transfer::{digest, par};

type Damage = (&'static str, fn(&Path));

/// The ways in which a file of the cache can be damaged, also a read-only one.
const DAMAGES: [Damage; 8] = [
    ("cut off", |path| {
        let size = fs::metadata(path).unwrap().len();
        writable(path).set_len(size / 2).unwrap();
    }),
    ("emptied", |path| writable(path).set_len(0).unwrap()),
    ("changed", |path| flip(&mut writable(path))),
    ("longer", |path| {
        let mut file = writable(path);
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(b"more").unwrap();
    }),
    ("a link", |path| {
        let elsewhere = path.with_extension("elsewhere");
        fs::rename(path, &elsewhere).unwrap();
        symlink(&elsewhere, path).unwrap();
    }),
    ("another file", |path| {
        fs::remove_file(path).unwrap();
        fs::write(path, "something else").unwrap();
    }),
    ("a directory", directory),
    ("a pipe", pipe),
];

/// Puts a directory with a file in the place of a file.
fn directory(path: &Path) {
    fs::remove_file(path).ok();
    fs::create_dir(path).unwrap();
    fs::write(path.join("within"), "something else").unwrap();
}

/// Puts a pipe in the place of a file. Opening it would wait for another process.
fn pipe(path: &Path) {
    fs::remove_file(path).ok();
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

fn writable(path: &Path) -> File {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    OpenOptions::new().write(true).open(path).unwrap()
}

fn flip(file: &mut File) {
    flip_at(file, 100);
}

fn flip_at(file: &mut File, offset: u64) {
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(b"\xee\x11").unwrap();
}

/// Changes bytes without a change of the metadata, as a failing disk does.
fn rot(path: &Path, offset: u64) {
    let before = fs::metadata(path).unwrap();
    let mut file = writable(path);
    flip_at(&mut file, offset);
    file.set_modified(before.modified().unwrap()).unwrap();
    file.set_permissions(before.permissions()).unwrap();
}

#[test]
fn every_damaged_file_is_noticed_and_replaced() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let files = [
        ("blobs", &provider.manifest),
        ("blobs", &provider.layer),
        ("executables", &provider.executable),
    ];
    for (name, damage) in DAMAGES {
        for (kind, content) in files {
            let path = provider.file(kind, content);
            damage(&path);
            // A fetch of a cached executable does not read the archive.
            let (outcome, expected) = if *content == provider.layer {
                (provider.pull(&[]), &provider.layer)
            } else {
                (provider.fetch(&[]), &provider.executable)
            };
            let outcome = outcome.success();
            let case = format!("{kind}, {name}: {outcome}");
            assert!(
                outcome.stderr.contains("removed the damaged file"),
                "{case}"
            );
            let got = provider.environment.path(outcome.line());
            assert_eq!(digest(&got), *expected, "{case}");
            assert_eq!(digest(&path), *content, "{case}");
            provider.fetch(&["--pull", "never"]).success();
        }
    }
    assert_eq!(provider.kept("partial"), [""; 0]);
}

#[test]
fn whatever_is_in_the_way_of_a_file_is_removed_when_the_file_is_needed() {
    let provider = Provider::new();
    let never = ["--pull", "never"];
    let link: fn(&Path) = |path| {
        fs::remove_file(path).ok();
        symlink(path, path).unwrap();
    };
    for obstruct in [directory, pipe, link] {
        let lock = provider.file("partial", &provider.executable);
        let paths = [
            provider.record(),
            provider.record().parent().unwrap().with_file_name("_lock"),
            provider.file("partial", &provider.layer),
            provider.file("partial", &provider.manifest),
            lock.with_extension("lock"),
            provider.file("providers", &provider.manifest),
        ];
        for path in paths {
            provider.fetches_the_executable();
            for (kind, content) in [
                ("blobs", &provider.layer),
                ("blobs", &provider.manifest),
                ("executables", &provider.executable),
            ] {
                fs::remove_file(provider.file(kind, content)).ok();
            }
            obstruct(&path);
            provider.fetches_the_executable();
            provider.pull(&[]).success();
            provider.fetch(&never).success();
            let verified = provider.cache(["verify"]);
            assert_eq!(verified.code, 0, "{path:?}: {verified}");
        }
        // The name of the process.
        let outcome = provider.fetch(&never).success();
        let program = Path::new(outcome.line()).to_owned();
        obstruct(&program);
        assert_eq!(provider.fetch(&never).success().line(), outcome.line());
        assert_eq!(digest(&program), provider.executable);
        // A file in the place of a directory.
        let records = provider.record();
        let records = records.parent().unwrap();
        fs::remove_dir_all(records).unwrap();
        fs::write(records, "").unwrap();
        provider.fetches_the_executable();
        provider.fetch(&never).success();
    }
}

#[test]
fn pruning_and_verifying_remove_what_is_in_the_place_of_a_record() {
    let provider = Provider::new();
    for obstruct in [directory, pipe] {
        provider.fetches_the_executable();
        obstruct(&provider.record());
        let outcome = provider.cache(["verify"]).exit(5);
        assert_eq!(Path::new(outcome.line()), provider.record());
        obstruct(&provider.record());
        let outcome = provider.cache(["prune", "--max-age", "30d"]).success();
        assert_eq!(Path::new(outcome.line()), provider.record());
        assert!(!provider.record().exists());
        provider.is_sound();
    }
}

#[test]
fn a_link_in_place_of_an_unfinished_download_does_not_lead_to_another_file() {
    let provider = Provider::new();
    let precious = provider.environment.write("precious", "content");
    for content in [&provider.layer, &provider.manifest] {
        let partial = provider.file("partial", content);
        fs::create_dir_all(partial.parent().unwrap()).unwrap();
        symlink(&precious, &partial).unwrap();
    }
    let pulled = provider.pull(&[]).success();
    let got = provider.environment.path(pulled.line());
    assert_eq!(digest(&got), provider.layer);
    assert_eq!(fs::read(&precious).unwrap(), b"content");
    provider.is_sound();
}

#[test]
fn cache_verify_finds_every_damage() {
    let provider = Provider::new();
    for (name, damage) in DAMAGES {
        provider.fetches_the_executable();
        let path = provider.file("executables", &provider.executable);
        damage(&path);
        let outcome = provider.cache(["verify"]).exit(5);
        assert_eq!(Path::new(outcome.line()), path, "{name}");
        assert!(!path.exists(), "{name}");
        provider.is_sound();
    }
}

#[test]
fn damaged_content_counts_as_missing_without_a_registry() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let never = ["--pull", "never"];
    flip(&mut writable(&provider.file("blobs", &provider.layer)));
    let archive = provider.pull(&never).exit(3);
    provider.fetch(&never).success();
    flip(&mut writable(
        &provider.file("executables", &provider.executable),
    ));
    for outcome in [archive, provider.fetch(&never).exit(3)] {
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains("is not in the cache"), "{outcome}");
    }
}

#[test]
fn a_file_with_a_new_time_only_is_read_once_and_kept() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let path = provider.file("executables", &provider.executable);
    let before = fs::metadata(&path).unwrap();
    // The time of modification changes when the whole cache is copied.
    let file = writable(&path);
    file.set_modified(std::time::SystemTime::now()).unwrap();
    drop(file);
    let requests = provider.registry.requests().len();
    let outcome = provider.fetch(&[]).success();
    assert!(!outcome.stderr.contains("damaged"), "{outcome}");
    let after = fs::metadata(&path).unwrap();
    assert_eq!(after.ino(), before.ino());
    assert_eq!(after.mtime(), before.mtime());
    assert_eq!(after.mode(), before.mode());
    assert_eq!(provider.requests_since(requests).len(), 1);
}

#[test]
fn damage_without_a_change_of_metadata_is_found_by_cache_verify() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    provider.is_sound();
    for (kind, content) in [
        ("blobs", &provider.layer),
        ("executables", &provider.executable),
    ] {
        let path = provider.file(kind, content);
        rot(&path, 100);

        let outcome = provider.cache(["verify", "-o", "json"]).exit(5);
        let answer = outcome.json();
        assert_eq!(answer["success"], false);
        assert_eq!(answer["error"]["kind"], "not_verified");
        assert_eq!(answer["damaged"][0], path.to_str().unwrap());
        assert!(!path.exists());
        provider.is_sound();
        provider.fetches_the_executable();
    }
}

#[test]
fn an_archive_that_rots_in_the_cache_is_received_again_by_each_command_that_reads_it() {
    let provider = Provider::new();
    let size = fs::metadata(provider.environment.path("provider.par.gz"));
    let size = size.unwrap().len();
    // The offsets are in the header of gzip, which only `pull` checks, in the claims, in the executable, and
    // in the trailer.
    let all = ["pull", "fetch", "extract", "verify", "inspect"];
    for (offset, commands) in [
        (4, &all[..1]),
        (20, &all[..1]),
        (100, &all),
        (size / 2, &all),
        (size - 10, &all),
    ] {
        for command in commands {
            provider.fetches_the_executable();
            let layer = provider.file("blobs", &provider.layer);
            rot(&layer, offset);
            fs::remove_file(provider.file("executables", &provider.executable)).unwrap();
            let outcome = par(&provider.environment, [command, &provider.reference]).success();
            let case = format!("{command}, {offset}: {outcome}");
            assert!(
                outcome.stderr.contains("removed the damaged file"),
                "{case}"
            );
            assert_eq!(digest(&layer), provider.layer, "{case}");
            provider.is_sound();
        }
        // Without a registry, the archive is missing now.
        rot(&provider.file("blobs", &provider.layer), offset);
        provider.pull(&["--pull", "never"]).exit(3);
    }
    assert_eq!(provider.kept("partial"), [""; 0]);
}

#[test]
fn a_damaged_record_counts_as_missing() {
    let provider = Provider::new();
    for damaged in ["", "{", "{\"confirmed\": 1}", &"x".repeat(100_000)] {
        provider.fetches_the_executable();
        fs::write(provider.record(), damaged).unwrap();
        provider.fetch(&["--pull", "never"]).exit(3);
        provider.fetches_the_executable();
        provider.fetch(&["--pull", "never"]).success();
        fs::write(provider.record(), damaged).unwrap();
        let outcome = provider.cache(["verify"]).exit(5);
        assert_eq!(outcome.line(), provider.record().to_str().unwrap());
        assert!(!provider.record().exists());
    }
    // A time that RFC 3339 cannot express.
    provider.fetches_the_executable();
    let record = fs::read_to_string(provider.record()).unwrap();
    let (start, _) = record.split_once("\"confirmed\":").unwrap();
    fs::write(
        provider.record(),
        format!("{start}\"confirmed\":{}}}", u64::MAX),
    )
    .unwrap();
    provider.fetch(&["--pull", "never"]).success();
    provider.cache(["list"]).success();
    provider.fetches_the_executable();
}
