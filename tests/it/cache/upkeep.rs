//! `par cache`: listing, verifying and pruning.

use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::Provider;
use crate::support::{Environment, ended};
use crate::transfer::{digest, pack, pack_noise, par, push};

/// Sets the time of the last use of a file to `ago` before now.
fn used(path: &Path, ago: Duration) {
    let times = FileTimes::new().set_accessed(SystemTime::now() - ago);
    File::open(path).unwrap().set_times(times).unwrap();
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn cache_path_prints_the_directory_as_the_option_takes_it() {
    let provider = Provider::new();
    let outcome = provider.cache(["path"]).success();
    let directory = provider.environment.home().join(".cache/wasmcloud-par");
    assert_eq!(Path::new(outcome.line()), directory);
    provider.fetches_the_executable();
    let again = ["--cache-dir", outcome.line(), "--pull", "never"];
    let fetched = provider.fetch(&again).success();
    assert_eq!(digest(Path::new(fetched.line())), provider.executable);

    let other = provider.environment.path("other");
    let named = ["path", "--cache-dir", "other", "-o", "json"];
    let outcome = provider.cache(named).success();
    assert_eq!(outcome.json()["path"], other.to_str().unwrap());
    assert!(!other.exists());
}

#[test]
fn a_layout_is_listed_by_its_directory() {
    let environment = Environment::new();
    let file = pack(&environment, "provider.par.gz", Path::new("/bin/echo"));
    push(&environment, "oci-layout://layout:1.0.0", &file);
    par(&environment, ["fetch", "oci-layout://layout:1.0.0"]).success();
    let listed = par(&environment, ["cache", "list", "-o", "json"]).success();
    let reference = format!(
        "oci-layout://{}:1.0.0",
        environment.path("layout").display()
    );
    assert_eq!(listed.json()["references"][0]["reference"], reference);
    let again = ["fetch", &reference, "--pull", "never"];
    par(&environment, again).success();
}

#[test]
fn a_directory_within_a_cache_is_refused() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let within = provider.directory();
    let parent = within.parent().unwrap();
    let hint = format!("name the directory that it is in: {}\n", parent.display());
    for command in [
        vec!["fetch", &provider.reference],
        vec!["cache", "path"],
        vec!["trust", "list"],
    ] {
        let options = ["--cache-dir", within.to_str().unwrap()];
        let outcome = provider
            .environment
            .par([command, options.to_vec()].concat());
        assert!(outcome.stderr.contains(&hint), "{outcome}");
        outcome.exit(2);
    }
    assert!(!within.join("v1").exists());
}

#[test]
fn commands_that_only_read_the_cache_create_none() {
    let environment = Environment::new();
    for command in [
        ["cache", "path"].as_slice(),
        &["cache", "list"],
        &["cache", "verify"],
        &["cache", "prune", "--all"],
    ] {
        let options = ["--cache-dir", "typo/deep"];
        let outcome = environment.par([command, &options].concat()).success();
        let said = outcome.stderr.contains("there is no cache in");
        assert_eq!(said, command != ["cache", "path"], "{outcome}");
    }
    for option in ["--cache-dir", "--state-dir"] {
        let listed = par(&environment, ["trust", "list", option, "typo/deep"]).success();
        assert!(listed.stderr.contains("there are no pins in"), "{listed}");
        let forget = ["trust", "forget", "ghcr.io/x", option, "typo/deep"];
        environment.par(forget).exit(3);
    }
    assert!(!environment.path("typo").exists());
}

#[test]
fn tags_are_listed_with_their_digests_sizes_and_times() {
    let provider = Provider::new();
    let outcome = provider.cache(["list"]).success();
    assert_eq!(outcome.stdout, "");
    provider.fetches_the_executable();
    let other = provider.registry.reference("a/provider:2.0.0");
    let file = provider.environment.path("provider.par.gz");
    push(&provider.environment, &other, &file);
    par(&provider.environment, ["fetch", &other]).success();

    let outcome = provider.cache(["list"]).success();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{outcome}");
    assert!(lines[0].starts_with(&other), "{outcome}");
    assert!(lines[1].starts_with(&provider.reference), "{outcome}");
    assert!(lines.iter().all(|line| line.contains(&provider.manifest)));

    let answer = provider.cache(["list", "-o", "json"]).success().json();
    let listed = &answer["references"][1];
    assert_eq!(listed["reference"], provider.reference.as_str());
    assert_eq!(listed["digest"], provider.manifest.as_str());
    assert_eq!(listed["size"], fs::metadata(&file).unwrap().len());
    for time in ["confirmed", "used"] {
        let since = humantime::parse_rfc3339(listed[time].as_str().unwrap()).unwrap();
        assert!(since.elapsed().unwrap() < HOUR, "{time}");
    }
    assert_eq!(answer["blobs"]["files"], 2);
    assert_eq!(answer["executables"]["files"], 1);
    assert_eq!(answer["unfinished"]["files"], 0);
}

#[test]
fn files_that_were_not_used_for_longest_are_pruned_first() {
    let provider = Provider::of_noise(64 << 10);
    provider.fetches_the_executable();
    let mut files = Vec::new();
    for tag in ["2.0.0", "3.0.0", "4.0.0"] {
        let name = format!("{tag}.par.gz");
        let size = (64 << 10) + 8 * (files.len() + 1);
        let file = pack_noise(&provider.environment, &name, size);
        let reference = provider.registry.reference(&format!("provider:{tag}"));
        push(&provider.environment, &reference, &file);
        let fetched = par(&provider.environment, ["fetch", &reference]).success();
        files.push(Path::new(fetched.line()).to_owned());
    }
    // The last file is the oldest.
    for (index, file) in files.iter().enumerate() {
        used(file, DAY + HOUR * u32::try_from(index).unwrap());
    }
    let kept = |provider: &Provider| provider.kept("executables").len();
    let total = provider.cache(["prune", "--max-size", "1TB", "-o", "json"]);
    let total = total.success().json()["left"].as_u64().unwrap();
    // Files take whole blocks of the disk.
    let limit = format!("{}B", total - (64 << 10) - (16 << 10));

    let dry = ["prune", "--max-size", &limit, "--dry-run"];
    let said = provider.cache(dry).success();
    assert_eq!(kept(&provider), 4);
    let done = provider.cache(["prune", "--max-size", &limit]).success();
    assert_eq!(said.stdout, done.stdout);
    let gone: Vec<&Path> = done.stdout.lines().map(Path::new).collect();
    assert_eq!(gone, [files[2].as_path(), files[1].as_path()]);
    assert_eq!(kept(&provider), 2);

    // Pruning by age keeps files that were just used.
    provider.cache(["prune", "--max-age", "30d"]).success();
    assert_eq!(kept(&provider), 2);
    provider.cache(["prune", "--max-age", "12h"]).success();
    assert_eq!(kept(&provider), 1);
    let spared = provider.cache(["prune", "--max-size", "0B"]).success();
    assert!(spared.stderr.contains("(--grace)"), "{spared}");
    assert_eq!(kept(&provider), 1);
    let now = ["prune", "--max-size", "0B", "--grace", "0s"];
    let emptied = provider.cache(now).success();
    let said = "that is more than --max-size: only small records are left";
    assert!(emptied.stderr.contains(said), "{emptied}");
    assert_eq!(kept(&provider) + provider.kept("blobs").len(), 0);
    // The records of the tags are kept.
    assert_eq!(provider.kept("references").len(), 4);
    provider.fetches_the_executable();
}

#[test]
fn a_fetch_counts_as_a_use_and_cache_verify_does_not() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let paths = [
        provider.file("blobs", &provider.manifest),
        provider.file("executables", &provider.executable),
    ];
    for path in &paths {
        used(path, DAY);
    }
    provider.is_sound();
    let idle = |path: &Path| {
        fs::metadata(path)
            .unwrap()
            .accessed()
            .unwrap()
            .elapsed()
            .unwrap()
    };
    assert!(paths.iter().all(|path| idle(path) >= DAY));
    provider.fetches_the_executable();
    assert!(paths.iter().all(|path| idle(path) < HOUR));
}

#[test]
fn the_record_of_a_tag_that_is_used_daily_is_kept_although_it_is_old() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let long_ago = || {
        let time = SystemTime::now() - 40 * DAY;
        let times = FileTimes::new().set_accessed(time).set_modified(time);
        File::open(provider.record())
            .unwrap()
            .set_times(times)
            .unwrap();
    };
    let monthly = ["prune", "--max-age", "30d"];

    long_ago();
    provider.fetch(&["--pull", "never"]).success();
    provider.cache(monthly).success();
    assert!(provider.record().exists());

    long_ago();
    provider.cache(["list"]).success();
    provider.is_sound();
    provider.cache(monthly).success();
    assert!(
        !provider.record().exists(),
        "listing and verifying count as uses"
    );
}

#[test]
fn content_in_use_is_not_pruned() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let name = provider.layer.replace(':', "/");
    let held = fs::File::open(provider.directory().join("blobs").join(&name)).unwrap();
    // A task that uses the content holds such a lock.
    held.lock_shared().unwrap();
    provider.cache(["prune", "--all"]).success();
    assert_eq!(provider.kept("blobs"), [name]);
    assert_eq!(provider.kept("executables"), [""; 0]);
    assert_eq!(provider.kept("references"), [""; 0]);
    drop(held);
    provider.cache(["prune", "--all"]).success();
    assert_eq!(provider.kept("blobs"), [""; 0]);
}

#[test]
fn a_running_provider_keeps_running_when_its_executable_is_pruned() {
    let environment = Environment::new();
    let file = pack(&environment, "provider.par.gz", Path::new("/bin/cat"));
    let provider = Provider::pushed(environment, &file, Path::new("/bin/cat"));
    let path = provider.fetch(&[]).success();
    let mut running = Command::new(path.line())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    provider.cache(["prune", "--all"]).success();
    assert!(!Path::new(path.line()).exists());
    let mut input = running.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"it runs").unwrap();
    drop(input);
    assert_eq!(ended(running).stdout, b"it runs");
    provider.fetches_the_executable();
}

#[test]
fn unfinished_downloads_are_pruned_after_a_day() {
    let provider = Provider::new();
    let partial = provider.directory().join("partial/sha256");
    let temporary = provider.directory().join("executables/sha256");
    for directory in [&partial, &temporary] {
        fs::create_dir_all(directory).unwrap();
    }
    let ages = [
        (HOUR / 2, true, true),
        (HOUR * 2, true, false),
        (DAY * 2, false, false),
    ];
    for (age, download_stays, temporary_stays) in ages {
        let paths = [partial.join("00"), temporary.join(".par-x.partial")];
        for path in &paths {
            fs::write(path, "half").unwrap();
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        provider.cache(["prune", "--max-size", "1TB"]).success();
        let there = paths.map(|path| path.exists());
        assert_eq!(there, [download_stays, temporary_stays], "{age:?}");
    }
    // The file of a download that is under way is locked.
    let path = partial.join("00");
    let file = File::create(&path).unwrap();
    file.lock().unwrap();
    provider.cache(["prune", "--all"]).success();
    assert!(path.exists());
    drop(file);
    provider.cache(["prune", "--all"]).success();
    assert!(!path.exists());
}

#[test]
fn cache_prune_demands_an_option_that_selects_content() {
    let environment = Environment::new();
    let commands: [&[&str]; 4] = [
        &["prune"],
        &["prune", "--dry-run"],
        &["prune", "--max-size", "lots"],
        &["prune", "--all", "--max-age", "1d"],
    ];
    for command in commands {
        let arguments = ["cache"].into_iter().chain(command.iter().copied());
        environment.par(arguments).exit(2);
    }
    let outcome = environment.par(["cache", "prune", "-o", "json"]).exit(2);
    for choice in ["--max-size", "--max-age", "--all"] {
        let hint = outcome.json()["error"]["hint"].to_string();
        assert!(hint.contains(choice), "{outcome}");
    }
}
