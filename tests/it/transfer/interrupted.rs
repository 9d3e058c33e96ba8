//! Downloads that are interrupted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{Client, ClientOptions};
use wasmcloud_par::content::{Meter, Progress, Silent, Step};

use super::link::Link;
use super::{block_on, cached, client, digest, pack_noise, par, push};
#[cfg(target_os = "linux")]
use crate::support::LockAttempts;
use crate::support::archives::{ArchiveBuilder, noise};
use crate::support::{Environment, Outcome, Registry, ended, wait_until};

const SIZE: usize = 8 << 20;
/// How many bytes arrive before the connection stops.
const HALF: usize = 4 << 20;

/// A registry with an archive at `provider:1.0.0` that has no index, so that all of it is downloaded.
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

/// Starts a fetch over a connection that stops half-way, and returns when the first half is on disk. The fetch gives up
/// after `patience` seconds.
fn stuck(environment: &Environment, registry: &Registry, file: &Path, patience: u32) -> Child {
    let link = Link::sending(registry, HALF);
    let mut command = environment.command();
    command.args(["fetch", &link.reference("provider:1.0.0")]);
    let child = command
        .env("PAR_PATIENCE", patience.to_string())
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

/// The status and the size of each answer to a GET of the layer of `file`.
fn downloads(registry: &Registry, file: &Path) -> Vec<(u16, u64)> {
    // This waits until the log does not grow any more.
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
    let mut child = stuck(&environment, &registry, &file, 10);
    child.kill().unwrap();
    assert_eq!(ended(child).stdout, b"");

    let left = fs::metadata(partial(&environment, &file)).unwrap().len();
    assert!(left > 0 && left < SIZE as u64);
    assert_eq!(cached(&environment, "blobs").len(), 1, "the manifest");
    assert_eq!(cached(&environment, "executables"), [""; 0]);

    // The next fetch uses another address of the same registry. The download is found by its digest.
    let reference = registry.reference("provider:1.0.0");
    let path = par(&environment, ["fetch", &reference]).success();
    let executable = environment.path("provider.par.noise");
    assert_eq!(digest(Path::new(path.line())), digest(&executable));
    let whole = fs::metadata(&file).unwrap().len();
    assert!(downloads(&registry, &file).contains(&(206, whole - left)));
    assert!(!partial(&environment, &file).exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_that_waits_for_a_download_takes_over_when_it_dies() {
    let environment = Environment::new();
    let (registry, file) = pushed(&environment);
    let mut child = stuck(&environment, &registry, &file, 120);
    let reference = registry.reference("provider:1.0.0");
    let attempts = LockAttempts::at(&partial(&environment, &file));

    let outcome = thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut command = environment.command();
            command.args(["fetch", &reference]);
            Outcome::of(command, b"")
        });
        // The second fetch finds that the first one has locked the layer, and waits.
        wait_until("an attempt to lock the layer", || {
            attempts.has_failed() || waiting.is_finished()
        });
        assert!(!waiting.is_finished());
        child.kill().unwrap();
        waiting.join().unwrap()
    });

    child.wait().unwrap();
    outcome.success();
    // The second fetch requests the start of the archive too, for the claims. This is the rest of the archive.
    let rest = (SIZE - HALF) as u64;
    let ranges = downloads(&registry, &file);
    assert!(
        ranges
            .iter()
            .any(|(status, size)| *status == 206 && *size >= rest),
        "{ranges:?}"
    );
}

#[test]
fn a_registry_that_dies_during_a_fetch_is_unavailable() {
    let environment = Environment::new();
    let (registry, file) = pushed(&environment);
    let child = stuck(&environment, &registry, &file, 10);
    drop(registry);
    let output = ended(child);
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the download continues"), "{said}");
    assert_eq!(cached(&environment, "executables"), [""; 0]);
}

/// A watcher that ends each download after `HALF` bytes.
struct EndsDownloads;

impl Progress for EndsDownloads {
    fn begin(&self, step: Step, _total: u64) -> Box<dyn Meter> {
        if step == Step::Downloading {
            Box::new(Countdown(AtomicI64::new(HALF as i64)))
        } else {
            Box::new(Silent)
        }
    }
}

struct Countdown(AtomicI64);

impl Meter for Countdown {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        if self.0.fetch_sub(bytes as i64, Ordering::Relaxed) < 0 {
            // Any error stops a step, not only `Stopped`.
            return Err(io::Error::other("enough for today"));
        }
        Ok(())
    }
}

#[test]
fn a_download_that_a_meter_ends_is_kept_and_the_next_fetch_continues_it() {
    let (environment, registry) = (Environment::new(), Registry::start());
    // This archive has an index, so only the bytes of the executable are downloaded.
    let file = pack_noise(&environment, "provider.par.gz", SIZE);
    let reference = registry.reference("provider:1.0.0");
    push(&environment, &reference, &file);
    let reference = reference.parse().unwrap();
    let cache = environment.path("cache");
    let mut options = ClientOptions::default()
        .cache_directory(&cache)
        .progress(Arc::new(EndsDownloads));
    options.registry.credentials.registry_config = Some(cache.join("no-config.json"));
    let ended = Client::new(options).unwrap();
    let error = block_on(ended.fetch(&reference, &Target::host())).unwrap_err();
    assert!(format!("{error:?}").contains("enough for today"), "{error}");

    let partial: Vec<_> = fs::read_dir(cache.join("v1/partial/sha256"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .collect();
    assert!(partial.iter().any(|size| *size > 0), "{partial:?}");
    let answers = downloads(&registry, &file);
    assert!(answers.iter().all(|(status, _)| *status == 206));
    let fetched = block_on(client(&cache).fetch(&reference, &Target::host())).unwrap();
    let executable = environment.path("provider.par.gz.noise");
    assert_eq!(digest(&fetched.path), digest(&executable));
    let (status, rest) = downloads(&registry, &file).pop().unwrap();
    assert_eq!(status, 206);
    assert!(rest < SIZE as u64, "{rest} bytes were downloaded again");
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
