//! Directories of other users, full disks, and caches that are read-only.

use std::fs::{self, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use super::Provider;
use crate::support::archives::noise;
use crate::support::{Environment, Outcome, Unprivileged};
use crate::transfer::{digest, par};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Returns `path` and every directory below it.
fn directories(path: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![path.to_owned()];
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(directories(&entry.path()));
        }
    }
    found
}

#[test]
fn a_directory_that_other_users_can_change_is_refused() {
    let environment = Environment::new();
    let directory = environment.path("cache/v1");
    fs::create_dir_all(&directory).unwrap();
    for mode in [0o777, 0o770, 0o702] {
        set_mode(&directory, mode);
        let outcome = par(&environment, ["cache", "list", "--cache-dir", "cache"]).exit(4);
        assert!(
            outcome.stderr.contains("other users may write to"),
            "{outcome}"
        );
        assert!(outcome.stderr.contains("chmod go-w"), "{outcome}");
    }
    set_mode(&directory, 0o755);
    par(&environment, ["cache", "list", "--cache-dir", "cache"]).success();
}

/// Asserts that the cache in `directory` is refused because of the directory `culprit`.
#[track_caller]
fn refused(environment: &Environment, directory: &str, culprit: &str, reason: &str) {
    let outcome = par(environment, ["cache", "list", "--cache-dir", directory]).exit(4);
    let culprit = environment.path(culprit);
    let said = format!("cannot be in {}: {reason}", culprit.display());
    assert!(outcome.stderr.contains(&said), "{outcome}");
}

#[test]
fn a_directory_that_other_users_can_replace_is_refused() {
    const SHARED: &str = "other users may write to it";
    let environment = Environment::new();
    let list = ["cache", "list", "--cache-dir", "above/cache"];
    let own = environment.path("above/cache/v1");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(own)
        .unwrap();
    par(&environment, list).success();
    symlink(environment.path("above"), environment.path("link")).unwrap();
    for directory in ["above", "above/cache"] {
        let path = environment.path(directory);
        for mode in [0o777, 0o703] {
            set_mode(&path, mode);
            refused(&environment, "above/cache", directory, SHARED);
            refused(&environment, "link/cache", directory, SHARED);
        }
        // The mode of the system's directory for temporary files.
        set_mode(&path, 0o1777);
        par(&environment, list).success();
        // A group with write permission is accepted: on many systems, each user has a group of their own.
        set_mode(&path, 0o770);
        let metadata = fs::metadata(&path).unwrap();
        if metadata.uid() == metadata.gid() {
            par(&environment, list).success();
        } else {
            refused(&environment, "above/cache", directory, SHARED);
        }
        if metadata.uid() == 0 {
            chown(&path, None, Some(1)).unwrap();
            refused(&environment, "above/cache", directory, SHARED);
            set_mode(&path, 0o700);
            chown(&path, Some(1), None).unwrap();
            refused(
                &environment,
                "above/cache",
                directory,
                "it belongs to another user",
            );
            chown(&path, Some(0), None).unwrap();
        }
        set_mode(&path, 0o700);
        par(&environment, list).success();
    }
}

#[test]
fn a_symbolic_link_that_other_users_can_replace_is_refused_anywhere_in_the_path() {
    let environment = Environment::new();
    for directory in ["open", "own/cache/v1"] {
        fs::create_dir_all(environment.path(directory)).unwrap();
    }
    let list = ["cache", "list", "--cache-dir", "first/cache"];
    for (link, target) in [("first", "open/second"), ("open/second", "../own")] {
        symlink(target, environment.path(link)).unwrap();
    }
    par(&environment, list).success();
    set_mode(&environment.path("open"), 0o777);
    refused(
        &environment,
        "first/cache",
        "open",
        "other users may write to it",
    );
    // The path without that link is accepted.
    let list = ["cache", "list", "--cache-dir", "own/cache"];
    par(&environment, list).success();
}

#[test]
fn a_directory_of_another_user_is_refused() {
    let environment = Environment::new();
    let directory = environment.path("cache/v1");
    fs::create_dir_all(&directory).unwrap();
    let user = Unprivileged::new(&environment);
    if !user.is_root() {
        // Only root can give a directory away; `/usr` belongs to root.
        fs::remove_dir(&directory).unwrap();
        symlink("/usr", &directory).unwrap();
    }
    let outcome = par(&environment, ["cache", "list", "--cache-dir", "cache"]).exit(4);
    assert!(
        outcome.stderr.contains("belongs to another user"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("of your own"), "{outcome}");
}

#[test]
fn the_content_of_a_read_only_cache_can_be_used() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let (_, reference) = provider.reference.split_once('/').unwrap();
    assert_eq!(reference, "provider:1.0.0");
    let user = Unprivileged::new(&provider.environment);
    let directories = directories(&provider.directory());
    let make = |mode| directories.iter().for_each(|path| set_mode(path, mode));
    make(0o500);

    for policy in ["never", "missing", "newer", "always"] {
        let command = user.command(&["fetch", &provider.reference, "--pull", policy]);
        let outcome = Outcome::of(command, b"").success();
        assert_eq!(digest(Path::new(outcome.line())), provider.executable);
        let warning = "warning: cannot record which manifest the tag names: cannot use the cache ";
        let asked = ["newer", "always"].contains(&policy);
        assert_eq!(outcome.stderr.starts_with(warning), asked, "{outcome}");
    }
    let moved = provider.move_tag();
    let outcome = Outcome::of(user.command(&["fetch", &provider.reference]), b"").exit(4);
    assert!(outcome.stderr.contains("ermission denied"), "{outcome}");
    assert!(outcome.stderr.contains("--cache-dir"), "{outcome}");

    make(0o700);
    let command = user.command(&["fetch", &provider.reference]);
    let outcome = Outcome::of(command, b"").success();
    assert_eq!(digest(Path::new(outcome.line())), moved);
}

#[test]
fn what_a_read_only_cache_does_not_have_is_inspected_with_a_temporary_one() {
    let provider = Provider::new();
    let reference = provider.reference.as_str();
    let (repository, _) = reference.rsplit_once(':').unwrap();
    provider.fetches_the_executable();
    provider.pull(&[]).success();
    let user = Unprivileged::new(&provider.environment);
    let directories = directories(&provider.directory());
    let make = |mode| directories.iter().for_each(|path| set_mode(path, mode));
    make(0o500);
    let run = |arguments: &[&str]| Outcome::of(user.command(arguments), b"");
    // By its digest, the content of the cache needs no registry.
    let by_digest = format!("{repository}@{}", provider.manifest);
    let before = provider.registry.requests().len();
    for command in ["inspect", "verify"] {
        run(&[command, &by_digest]).success();
    }
    let asked = provider.requests_since(before);
    let content =
        |request: &&String| request.contains("/blobs/") || request.contains("/manifests/");
    assert_eq!(asked.iter().filter(content).count(), 0, "{asked:?}");

    provider.move_tag();
    for arguments in [
        ["inspect", reference].as_slice(),
        &["verify", reference],
        &["diff", "provider.par.gz", reference],
    ] {
        run(arguments).success();
    }
    make(0o700);
}

/// Returns how often `part` is in `text`.
fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn pruning_and_verifying_continue_after_files_that_cannot_be_removed_or_read() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    provider.pull(&[]).success();
    let user = Unprivileged::new(&provider.environment);
    let run = |arguments: &[&str]| Outcome::of(user.command(arguments), b"");
    let layer = provider.file("blobs", &provider.layer);
    let manifest = provider.file("blobs", &provider.manifest);
    let programs = provider.file("programs", &provider.executable);
    let hint = "name another directory with --cache-dir";

    set_mode(&layer, 0o000);
    fs::write(provider.record(), "damaged").unwrap();
    let outcome = run(&["cache", "verify"]).exit(5);
    assert_eq!(Path::new(outcome.line()), provider.record());
    assert_eq!(count(&outcome.stderr, "ermission denied"), 1, "{outcome}");
    let outcome = run(&["cache", "verify", "-o", "json"]).exit(4);
    let answer = outcome.json();
    assert_eq!(answer["files"], 2);
    assert_eq!(answer["failures"][0]["what"], layer.to_str().unwrap());
    assert_eq!(answer["failures"][0]["kind"], "denied");

    set_mode(&programs, 0o500);
    let outcome = run(&["cache", "prune", "--all"]).exit(4);
    for path in [&layer, &programs] {
        assert_eq!(
            count(&outcome.stderr, path.to_str().unwrap()),
            1,
            "{outcome}"
        );
    }
    assert_eq!(count(&outcome.stderr, "ermission denied"), 2, "{outcome}");
    assert!(outcome.stderr.contains(hint), "{outcome}");
    let last = outcome.stderr.lines().last().unwrap();
    assert!(
        last.contains("2 files could not be read or removed"),
        "{outcome}"
    );
    // What the executable needs stays with it.
    assert!(manifest.exists() && layer.exists() && programs.exists());
    assert!(!provider.file("providers", &provider.layer).exists());

    set_mode(&layer, 0o444);
    let outcome = run(&["cache", "prune", "--all"]).exit(4);
    assert_eq!(
        count(&outcome.stderr, "cannot use the cache file"),
        1,
        "{outcome}"
    );
    assert!(outcome.stderr.contains(hint), "{outcome}");
    assert_eq!(Path::new(outcome.line()), layer);
    set_mode(&programs, 0o700);
    run(&["cache", "prune", "--all"]).success();
    assert_eq!(provider.kept("blobs"), [""; 0]);
}

#[test]
fn commands_that_need_no_cache_work_without_a_usable_one() {
    let provider = Provider::of_noise(1 << 20);
    let reference = provider.reference.as_str();
    let repository = provider.registry.reference("provider");
    let (other, layout) = (
        provider.registry.reference("other:1"),
        "oci-layout://layout:1",
    );
    // The push has created the cache.
    let directory = provider.directory();
    fs::remove_dir_all(directory.parent().unwrap()).unwrap();
    let user = Unprivileged::new(&provider.environment);
    set_mode(&provider.environment.home().join(".cache"), 0o500);
    let run = |arguments: &[&str]| Outcome::of(user.command(arguments), b"");
    for command in [
        ["tags", &repository].as_slice(),
        &["resolve", reference],
        &["inspect", reference],
        &["push", &other, "provider.par.gz"],
        &["copy", reference, layout],
        &["tag", reference, "2"],
        &["verify", &other],
        &["diff", "provider.par.gz", &other],
        &["doctor", &repository],
        &[
            "delete",
            &format!("{repository}@{}", provider.manifest),
            "--force",
        ],
        &["cache", "list"],
        &["trust", "list"],
        &[
            "inspect",
            &other,
            "--cache-dir",
            directory.to_str().unwrap(),
        ],
    ] {
        let outcome = run(command).success();
        assert!(!outcome.stderr.contains("warning"), "{outcome}");
    }
    let said = format!("cannot use the cache directory {}", directory.display());
    for command in [
        ["fetch", &other].as_slice(),
        &["pull", &other],
        &["extract", &other, "--target", "x86_64-linux"],
        &["fetch", &other, "--cache-dir", directory.to_str().unwrap()],
    ] {
        let outcome = run(command).exit(4);
        assert!(outcome.stderr.contains(&said), "{outcome}");
        assert!(outcome.stderr.contains("PAR_CACHE_DIR"), "{outcome}");
    }
    set_mode(&provider.environment.home().join(".cache"), 0o700);
}

#[test]
fn a_file_in_place_of_the_cache_directory_is_a_usage_error() {
    let provider = Provider::new();
    let file = provider.environment.path("provider.par.gz");
    let said = format!("the cache cannot be in {}: not a directory", file.display());
    for directory in ["provider.par.gz", "provider.par.gz/below/it"] {
        for command in [["fetch", &provider.reference], ["cache", "list"]] {
            let options = ["--cache-dir", directory];
            let outcome = provider.environment.par([command, options].concat());
            assert!(outcome.stderr.contains(&said), "{outcome}");
            outcome.exit(2);
        }
    }
}

/// Returns `par fetch` with a limit of `kilobytes` on the size of files, which the program sees like a full
/// disk.
fn cramped(provider: &Provider, kilobytes: usize) -> Command {
    let own = provider.environment.command();
    let mut command = Command::new("/bin/sh");
    // POSIX counts in blocks of 512 bytes. The signal would end the program instead of failing its write.
    let script = r#"trap "" XFSZ; ulimit -f "$1"; shift; exec "$@""#;
    command
        .args(["-c", script, "sh", &(kilobytes * 2).to_string()])
        .arg(own.get_program())
        .args(["fetch", &provider.reference])
        .env_clear()
        .envs(
            own.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(own.get_current_dir().unwrap());
    command
}

#[test]
fn a_full_disk_is_reported_and_nothing_incomplete_stays() {
    let whole = |name: &str, content: Vec<u8>| {
        let environment = Environment::new();
        let executable = environment.write("executable", content);
        let file = crate::transfer::pack(&environment, name, &executable);
        Provider::pushed(environment, &file, &executable)
    };
    // An executable that does not fit when its bytes are downloaded.
    let downloaded = Provider::of_noise(4 << 20);
    // One that does not fit when it is inflated, and one of a small archive that is extracted.
    let mut content = noise(200 << 10, 1);
    content.resize(4 << 20, 0);
    let inflated = whole("large.par.gz", content);
    let extracted = whole("sparse.par.gz", vec![0; 4 << 20]);
    for provider in [downloaded, inflated, extracted] {
        let before = provider.registry.requests().len();
        let outcome = Outcome::of(cramped(&provider, 1024), b"").exit(1);
        assert!(outcome.stderr.contains("too large"), "{outcome}");
        assert!(outcome.stderr.contains("par cache prune"), "{outcome}");
        // The client does not try another way, which would fail as well.
        let asked = provider.requests_since(before);
        let blobs = asked.iter().filter(|request| request.contains("/blobs/"));
        assert_eq!(blobs.count(), 1, "{asked:?}");
        assert_eq!(provider.kept("partial"), [""; 0]);
        assert_eq!(provider.kept("executables"), [""; 0]);
        provider.is_sound();
        provider.fetches_the_executable();
    }
}
