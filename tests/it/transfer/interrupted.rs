//! Downloads that do not come to their end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use wasmcloud_par::archive::Target;

use super::link::Link;
use super::{cached, digest, par, push, requests_about};
use crate::support::archives::{ArchiveBuilder, noise};
use crate::support::{Environment, Outcome, Registry, ended, wait_until};

const SIZE: usize = 8 << 20;
/// How much arrives before the line goes dead.
const HALF: usize = 4 << 20;

/// A registry with an archive under `provider:1.0.0`. Without an index, it is downloaded whole.
fn pushed(environment: &Environment) -> (Registry, PathBuf) {
    let registry = Registry::start();
    let executable = noise(SIZE, 0);
    let name = format!("{}.bin", Target::host());
    let archive = ArchiveBuilder::empty().executable(&name, &executable);
    environment.write("provider.par.noise", executable);
    let file = environment.write("provider.par.gz", archive.build_gzip());
    push(environment, &registry.reference("provider:1.0.0"), &file);
    (registry, file)
}

fn partial(environment: &Environment, file: &Path) -> PathBuf {
    let digest = digest(file).replace(':', "/");
    let cache = environment.home().join(".cache/wasmcloud-par/v1");
    cache.join("partial").join(digest)
}

/// Starts a fetch over a line that goes dead, and returns when what has come over it is on disk.
fn stuck(environment: &Environment, registry: &Registry, file: &Path) -> Child {
    let link = Link::sending(registry, HALF);
    let mut command = environment.command();
    command.args(["fetch", &link.reference("provider:1.0.0")]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    link.wait_until_dead();
    let enough = (HALF / 2) as u64;
    wait_until("half of the layer", || {
        fs::metadata(partial(environment, file)).is_ok_and(|file| file.len() >= enough)
    });
    child
}

/// The status and the size of each answer to a GET of `file`'s layer.
fn downloads(registry: &Registry, file: &Path) -> Vec<(u16, u64)> {
    // Until the log rests.
    registry.requests();
    let wanted = format!("\"GET /v2/provider/blobs/{} ", digest(file));
    let log = registry.log();
    let lines = log.lines().filter(|line| line.contains(&wanted));
    let answers = lines.map(|line| {
        let (_, rest) = line.split_once("HTTP/1.1\" ").unwrap();
        let mut words = rest.split(' ');
        let status = words.next().unwrap().parse().unwrap();
        (status, words.next().unwrap().parse().unwrap())
    });
    answers.collect()
}

#[test]
fn a_fetch_that_is_killed_leaves_nothing_final_and_the_next_one_continues() {
    let environment = Environment::new();
    let (registry, file) = pushed(&environment);
    let mut child = stuck(&environment, &registry, &file);
    child.kill().unwrap();
    assert_eq!(ended(child).stdout, b"");

    let left = fs::metadata(partial(&environment, &file)).unwrap().len();
    assert!(left > 0 && left < SIZE as u64);
    assert_eq!(cached(&environment, "blobs").len(), 1, "the manifest");
    assert_eq!(cached(&environment, "executables"), [""; 0]);

    // Through another line to the same registry: content has the same name everywhere.
    let reference = registry.reference("provider:1.0.0");
    let path = par(&environment, ["fetch", &reference]).success();
    let executable = environment.path("provider.par.noise");
    assert_eq!(digest(Path::new(path.line())), digest(&executable));
    let whole = fs::metadata(&file).unwrap().len();
    assert!(downloads(&registry, &file).contains(&(206, whole - left)));
    assert!(!partial(&environment, &file).exists());
}

#[test]
fn who_waits_for_a_download_takes_over_when_it_dies() {
    let environment = Environment::new();
    let (registry, file) = pushed(&environment);
    let mut child = stuck(&environment, &registry, &file);
    let reference = registry.reference("provider:1.0.0");

    let outcome = thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut command = environment.command();
            command.args(["fetch", &reference]);
            Outcome::of(command, b"")
        });
        // The second fetch has asked for the tag. From then on it waits for the layer that the first
        // one receives.
        let question = "GET /v2/provider/manifests/1.0.0";
        wait_until("a second fetch", || {
            requests_about(&registry, question, "") >= 2
        });
        thread::sleep(Duration::from_millis(300));
        assert!(!waiting.is_finished());
        child.kill().unwrap();
        waiting.join().unwrap()
    });

    child.wait().unwrap();
    outcome.success();
    let ranges = downloads(&registry, &file);
    assert!(
        ranges.iter().any(|(status, _)| *status == 206),
        "{ranges:?}"
    );
}

#[test]
fn a_registry_that_dies_during_a_fetch_is_unavailable() {
    let environment = Environment::new();
    let (registry, file) = pushed(&environment);
    let child = stuck(&environment, &registry, &file);
    drop(registry);
    let output = ended(child);
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("continued"), "{said}");
    assert_eq!(cached(&environment, "executables"), [""; 0]);
}

#[test]
fn an_unfinished_download_that_is_damaged_is_thrown_away() {
    let environment = Environment::new();
    let (registry, file) = pushed(&environment);
    let size = fs::metadata(&file).unwrap().len();
    let reference = registry.reference("provider:1.0.0");
    for length in [1000, size, size + 1000] {
        let path = partial(&environment, &file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, vec![0x55; usize::try_from(length).unwrap()]).unwrap();
        let destination = format!("{length}.pulled");
        par(
            &environment,
            ["pull", &reference, "--destination", &destination],
        )
        .success();
        assert_eq!(digest(&environment.path(&destination)), digest(&file));
        fs::remove_dir_all(environment.home().join(".cache")).unwrap();
    }
}
