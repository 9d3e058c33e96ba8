//! Listing the cache, finding the provider of a process, and the order of pruning.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use wasmcloud_par::archive::Target;

use super::{Provider, TRUE};
use crate::support::{Environment, wait_until};
use crate::transfer::{digest, pack, par, push, text};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Sets the time of the last use of files to `age` before now.
fn unused_for(age: Duration, paths: &[&PathBuf]) {
    for path in paths {
        let time = SystemTime::now() - age;
        let times = FileTimes::new().set_accessed(time);
        File::open(path).unwrap().set_times(times).unwrap();
    }
}

/// How many bytes the files in a directory take on the disk. A file with two names counts once.
fn on_disk(directory: &Path) -> u64 {
    let mut seen = BTreeSet::new();
    let mut directories = vec![directory.to_owned()];
    let mut size = 0;
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            match metadata.is_dir() {
                true => directories.push(entry.path()),
                false if seen.insert(metadata.ino()) => size += metadata.blocks() * 512,
                false => {}
            }
        }
    }
    size
}

fn listed(provider: &Provider) -> Value {
    provider
        .cache(["list", "-o", "json"])
        .success()
        .json()
        .clone()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// Starts a program that reads its input until that ends.
fn start(path: &str) -> Child {
    let mut command = Command::new(path);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command.spawn().unwrap()
}

/// The readable name of the executables in these tests.
fn program_name() -> String {
    format!("Test-Provider-{}", Target::host())
}

fn cat() -> Provider {
    let environment = Environment::new();
    let file = pack(&environment, "provider.par.gz", Path::new("/bin/cat"));
    Provider::pushed(environment, &file, Path::new("/bin/cat"))
}

#[test]
fn providers_that_can_start_are_listed_by_tag_or_by_digest() {
    let provider = Provider::new();
    let fetched = provider.fetch(&["-o", "json"]).success().json();
    let elsewhere = Environment::new();
    let file = pack(&elsewhere, "other.par.gz", Path::new(TRUE));
    let tag = provider.registry.reference("other:2.0.0");
    let manifest = push(&elsewhere, &tag, &file);
    let by_digest = provider.registry.reference(&format!("other@{manifest}"));
    par(&provider.environment, ["fetch", &by_digest]).success();

    let answer = listed(&provider);
    let rows = answer["providers"].as_array().unwrap();
    let references: Vec<&str> = rows
        .iter()
        .map(|row| row["reference"].as_str().unwrap())
        .collect();
    assert_eq!(references, [&by_digest, &provider.reference]);
    let row = &rows[1];
    for name in ["issuer", "service", "digest"] {
        assert_eq!(row[name], fetched[name], "{name}");
    }
    let target = json!({ "target": Target::host().as_str(), "file": fetched["file"] });
    assert_eq!(row["targets"], json!([target]));
    assert_eq!(row["name"], "Test Provider");
    assert!(rows[0]["confirmed"].is_null());
    for row in rows {
        assert_eq!(row["offline"], true);
        let reference = row["reference"].as_str().unwrap();
        let offline = ["fetch", reference, "--pull", "never"];
        par(&provider.environment, offline).success();
    }
    let text = provider.cache(["list"]).success();
    assert_eq!(text.stdout.lines().count(), 2);
    assert!(text.stdout.lines().all(|line| line.contains("  offline  ")));
}

#[test]
fn the_sizes_in_the_list_are_those_on_the_disk_and_add_up() {
    let provider = Provider::of_noise(100_000);
    provider.pull(&[]).success();
    provider.fetches_the_executable();
    let again = provider.registry.reference("again:1.0.0");
    let file = provider.environment.path("provider.par.gz");
    push(&provider.environment, &again, &file);
    par(&provider.environment, ["fetch", &again]).success();
    // A download that was interrupted, with a hole.
    let partial = provider.directory().join("partial/sha256");
    fs::create_dir_all(&partial).unwrap();
    let sparse = File::create(partial.join("00")).unwrap();
    sparse.set_len(1 << 40).unwrap();

    let answer = listed(&provider);
    let rows = answer["providers"].as_array().unwrap();
    let sizes: Vec<u64> = rows.iter().map(|row| number(&row["size"])).collect();
    // Both manifests have the same archive, which is counted once.
    assert!(sizes[0] > 200_000 && sizes[1] < 20_000, "{sizes:?}");
    let parts = [
        &answer["listed"],
        &answer["other"],
        &answer["unfinished"]["bytes"],
        &answer["records"]["bytes"],
    ];
    let sum: u64 = parts.into_iter().map(number).sum();
    assert_eq!(number(&answer["listed"]), sizes.iter().sum::<u64>());
    assert_eq!(number(&answer["total"]), sum);
    assert_eq!(sum, on_disk(&provider.directory()));
    let pruned = provider.cache(["prune", "--max-size", "1TB", "-o", "json"]);
    assert_eq!(pruned.success().json()["left"], sum);
}

#[test]
fn pruned_providers_are_not_listed() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let now = ["prune", "--max-size", "0B", "--grace", "0s"];
    provider.cache(now).success();
    // The record of the tag is still there.
    assert_eq!(provider.kept("references").len(), 1);
    assert_eq!(provider.cache(["list"]).success().stdout, "");
    let answer = listed(&provider);
    assert_eq!(answer["providers"], json!([]));
    assert_eq!(answer["references"], json!([]));
}

#[test]
fn an_executable_without_claims_in_the_cache_is_listed_as_online() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let described = provider.file("providers", &provider.manifest);
    let text = fs::read_to_string(&described).unwrap();
    let expired = text.replace("[null,null]", "[null,1]");
    assert_ne!(text, expired);
    fs::write(&described, expired).unwrap();
    assert_eq!(listed(&provider)["providers"][0]["offline"], false);
    // Damage is repaired by the next use.
    fs::write(&described, "{").unwrap();
    provider.fetches_the_executable();
    assert_eq!(listed(&provider)["providers"][0]["offline"], true);
}

#[test]
fn a_cache_of_an_earlier_version_is_used_and_listed() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    for directory in ["providers", "programs"] {
        fs::remove_dir_all(provider.directory().join(directory)).unwrap();
    }
    let row = &listed(&provider)["providers"][0];
    assert_eq!(row["reference"], provider.reference.as_str());
    let path = row["targets"][0]["file"].as_str().unwrap().to_owned();
    assert_eq!(
        Path::new(&path),
        provider.file("executables", &provider.executable)
    );
    provider.cache(["which", &path]).success();
    let fetched = provider.fetch(&["--pull", "never"]).success();
    let path_is_named = fetched.line().ends_with(&program_name());
    assert!(path_is_named, "{fetched}");
    let (old, new) = (
        fs::metadata(path).unwrap(),
        fs::metadata(fetched.line()).unwrap(),
    );
    assert_eq!(old.ino(), new.ino());
}

#[test]
fn two_providers_with_one_executable_have_names_of_their_own() {
    let provider = Provider::new();
    let first = provider.fetch(&[]).success();
    let environment = &provider.environment;
    let target = format!("{}={}", Target::host(), super::ECHO);
    let create = [
        "create",
        "--name",
        "../Other/../-x",
        "--vendor",
        "v",
        "--binary",
        &target,
        "--destination",
        "other.par.gz",
    ];
    par(environment, create).success();
    let other = provider.registry.reference("other:1.0.0");
    push(environment, &other, &environment.path("other.par.gz"));
    let second = par(environment, ["fetch", &other]).success();
    assert!(
        second
            .line()
            .ends_with(&format!("/Other-x-{}", Target::host())),
        "{second}"
    );
    assert_eq!(digest(Path::new(second.line())), provider.executable);
    let parent = |path: &str| Path::new(path).parent().unwrap().to_owned();
    assert_eq!(parent(first.line()), parent(second.line()));
    assert!(Path::new(first.line()).exists());
    let which = provider.cache(["which", first.line(), "-o", "json"]);
    let which = which.success().json();
    assert_eq!(which["providers"].as_array().unwrap().len(), 2);
    // Another file under this name is not an executable of the cache, and is replaced.
    fs::remove_file(second.line()).unwrap();
    fs::write(second.line(), "other").unwrap();
    provider.cache(["which", second.line()]).exit(3);
    par(environment, ["fetch", &other]).success();
    assert_eq!(digest(Path::new(second.line())), provider.executable);
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_is_known_by_its_name_and_by_its_number() {
    let provider = cat();
    let path = provider.fetch(&[]).success().line().to_owned();
    let mut running = start(&path);
    let process = running.id().to_string();
    // The system sets the name after it has started the program.
    wait_until("the name of the process", || {
        let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap();
        // The system keeps 15 characters.
        program_name().starts_with(name.trim_end()) && name.starts_with("Test-Provider")
    });

    let answer = provider.cache(["which", &process, "-o", "json"]).success();
    let answer = answer.json();
    assert_eq!(answer["file"], path.as_str());
    assert_eq!(answer["executable"], provider.executable.as_str());
    assert_eq!(answer["cached"], true);
    let row = &answer["providers"][0];
    assert_eq!(row["reference"], provider.reference.as_str());
    assert_eq!(row["digest"], provider.manifest.as_str());
    assert_eq!(row["targets"], json!([Target::host().as_str()]));

    // The process continues when its executable is pruned, and its provider is still known.
    let now = ["prune", "--max-size", "0B", "--grace", "0s"];
    provider.cache(now).success();
    assert!(!Path::new(&path).exists());
    let answer = provider.cache(["which", &process, "-o", "json"]).success();
    assert_eq!(answer.json()["cached"], false);
    assert_eq!(answer.json()["providers"][0]["digest"], row["digest"]);
    // After this, the cache does not know the provider any more.
    provider.cache(["prune", "--all"]).success();
    let gone = provider.cache(["which", &process]).exit(3);
    assert!(gone.stderr.contains("not in the cache any more"), "{gone}");
    running.kill().unwrap();
    running.wait().unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_script_is_known_by_the_number_of_its_process() {
    use std::io::{BufRead, BufReader};
    let environment = Environment::new();
    let script = environment.write("script", "#!/bin/sh\necho up\nread line\n");
    let file = pack(&environment, "provider.par.gz", &script);
    let provider = Provider::pushed(environment, &file, &script);
    let path = provider.fetch(&[]).success().line().to_owned();
    let mut command = Command::new(&path);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut line = String::new();
    let output = running.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    let process = running.id().to_string();
    let answer = provider.cache(["which", &process, "-o", "json"]).success();
    assert_eq!(answer.json()["file"], path.as_str());
    drop(running.stdin.take());
    running.wait().unwrap();

    // An argument of another program does not make it a provider.
    let mut other = Command::new("/bin/sh");
    other.args(["-c", "read line", &path]).stdin(Stdio::piped());
    let mut other = other.spawn().unwrap();
    provider.cache(["which", &other.id().to_string()]).exit(3);
    drop(other.stdin.take());
    other.wait().unwrap();
}

#[test]
fn files_and_processes_that_are_not_from_the_cache_are_not_found() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let blob = provider.file("blobs", &provider.manifest);
    let absent = provider
        .directory()
        .join("programs/sha256")
        .join("0".repeat(64))
        .join("x");
    let own = std::process::id().to_string();
    for what in [
        super::ECHO,
        text(&blob),
        text(&absent),
        "./4711",
        "4194305",
        &own,
    ] {
        let outcome = provider.cache(["which", what]).exit(3);
        assert_eq!(outcome.stdout, "");
    }
    let nowhere = ["cache", "which", super::ECHO, "--cache-dir", "nowhere"];
    par(&provider.environment, nowhere).exit(3);
}

#[test]
fn archives_are_pruned_first_so_that_executables_can_still_start() {
    let provider = Provider::of_noise(200_000);
    provider.pull(&[]).success();
    provider.fetches_the_executable();
    let archive = provider.file("blobs", &provider.layer);
    let manifest = provider.file("blobs", &provider.manifest);
    let executable = provider.file("executables", &provider.executable);
    // The archive was used last.
    unused_for(DAY, &[&archive]);
    unused_for(40 * DAY, &[&executable, &manifest]);
    provider.cache(["prune", "--max-size", "300KB"]).success();
    assert!(!archive.exists() && executable.exists() && manifest.exists());
    provider.fetch(&["--pull", "never"]).success();
    assert_eq!(listed(&provider)["providers"][0]["offline"], true);

    // A manifest is kept with its executable, even if it was not used for long.
    unused_for(40 * DAY, &[&manifest]);
    provider.cache(["prune", "--max-age", "30d"]).success();
    assert!(executable.exists() && manifest.exists());
    // The executable and its manifest are pruned together.
    unused_for(40 * DAY, &[&executable, &manifest]);
    let dry = ["prune", "--max-size", "100KB", "--dry-run"];
    let said = provider.cache(dry).success();
    let done = provider.cache(["prune", "--max-size", "100KB"]).success();
    assert_eq!(said.stdout, done.stdout);
    assert!(!executable.exists() && !manifest.exists());
    assert_eq!(provider.kept("programs"), [""; 0]);
}

#[test]
fn an_archive_without_its_executable_is_pruned_like_an_executable() {
    let provider = Provider::of_noise(200_000);
    provider.pull(&[]).success();
    let archive = provider.file("blobs", &provider.layer);
    let manifest = provider.file("blobs", &provider.manifest);
    unused_for(40 * DAY, &[&manifest]);
    provider.cache(["prune", "--max-age", "30d"]).success();
    assert!(archive.exists() && manifest.exists());
    let row = &listed(&provider)["providers"][0];
    assert_eq!(row["offline"], true);
    assert!(row["targets"][0]["file"].is_null());
    provider.fetch(&["--pull", "never"]).success();
}

#[test]
fn content_that_a_lock_names_is_kept() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    let elsewhere = Environment::new();
    let file = pack(&elsewhere, "other.par.gz", Path::new(TRUE));
    let other = provider.registry.reference("other:1.0.0");
    push(&elsewhere, &other, &file);
    let environment = &provider.environment;
    par(environment, ["fetch", &other]).success();
    environment.write("list.txt", format!("{}\n", provider.reference));
    par(environment, ["lock", "list.txt"]).success();

    let missing = ["prune", "--all", "--keep-locked", "missing.lock"];
    provider.cache(missing).exit(3);
    assert_eq!(provider.kept("executables").len(), 2);
    let all = ["prune", "--all", "--keep-locked", "par.lock"];
    provider.cache(all).success();
    assert_eq!(provider.kept("executables").len(), 1);
    provider.fetch(&["--pull", "never"]).success();
    provider.fetch(&["--pull", "never", "--locked"]).success();
    par(environment, ["fetch", &other, "--pull", "never"]).exit(3);
}
