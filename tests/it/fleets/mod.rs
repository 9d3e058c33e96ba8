//! Fleets: many hosts behind a mirror, and behind a pull-through registry.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::archives::noise;
use crate::support::proxy::Proxy;
use crate::support::{Environment, Outcome, Registry, wait_until};
use crate::transfer::{digest, pack, push, text};

/// How many hosts start at once.
const HOSTS: usize = 50;
/// The size of the executable that they fetch.
const SIZE: usize = 1 << 20;

#[test]
fn hosts_start_verified_providers_from_a_mirror_while_the_origin_is_unreachable() {
    let (operator, origin, mirror) = (Environment::new(), Registry::start(), Registry::start());
    let names = ["http", "redis", "nats"];
    let references = names.map(|name| origin.reference(&format!("org/{name}:1.0.0")));
    for (name, reference) in names.iter().zip(&references) {
        let executable = operator.write(name, format!("#!/bin/sh\necho {name} runs\n"));
        push(
            &operator,
            reference,
            &pack(&operator, &format!("{name}.par.gz"), &executable),
        );
    }
    operator.write("list.txt", references.join("\n"));
    operator.par(["lock", "list.txt"]).success();
    let place = mirror.reference("mirror");
    operator
        .par(["mirror", "par.lock", &place, "--write-hosts", "certs.d"])
        .success();
    drop(origin);

    // The hosts have only the lock file and the settings of registries.
    let hosts: Vec<_> = (0..3).map(|_| Environment::new()).collect();
    for host in &hosts {
        host.write("par.lock", fs::read(operator.path("par.lock")).unwrap());
        let settings = operator.path("certs.d");
        let fetch = ["fetch", "--locked", "--hosts-dir", text(&settings)];
        let fetched = host.par(fetch).success();
        assert_eq!(fetched.stdout.lines().count(), names.len(), "{fetched}");
        for line in fetched.stdout.lines() {
            let (reference, path) = line.split_once(' ').unwrap();
            let name = names
                .iter()
                .find(|name| reference.contains(&format!("/{name}:")))
                .unwrap();
            let started = Outcome::of(Command::new(path), b"").success();
            assert_eq!(started.stdout, format!("{name} runs\n"));
        }
    }
}

/// Starts a fetch on a host with an empty cache.
fn fetching(host: &Environment, reference: &str) -> Child {
    let mut command = host.command();
    command
        .args(["fetch", reference, "--hosts-dir", "certs.d"])
        .env("PAR_PATIENCE", "60")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Starts all hosts at once. Returns how long it takes until the last one has its executable.
fn start_all(settings: &str, registry: &str, reference: &str, expected: &str) -> Duration {
    let hosts: Vec<_> = (0..HOSTS).map(|_| Environment::new()).collect();
    for host in &hosts {
        host.write(&format!("certs.d/{registry}/hosts.toml"), settings);
    }
    let begin = Instant::now();
    let running: Vec<Child> = hosts.iter().map(|host| fetching(host, reference)).collect();
    let fetched: Vec<_> = thread::scope(|scope| {
        let waiting: Vec<_> = running
            .into_iter()
            .map(|child| scope.spawn(|| child.wait_with_output().unwrap()))
            .collect();
        waiting
            .into_iter()
            .map(|waiting| waiting.join().unwrap())
            .collect()
    });
    let took = begin.elapsed();
    let mut digests = BTreeSet::new();
    for output in fetched {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let path = String::from_utf8(output.stdout).unwrap();
        digests.insert(digest(Path::new(path.trim_end())));
    }
    assert_eq!(digests, BTreeSet::from([expected.to_owned()]));
    took
}

#[test]
fn fifty_hosts_that_start_at_once_fetch_through_a_pull_through_registry() {
    let (environment, origin) = (Environment::new(), Registry::start());
    let counting = Proxy::start(&origin, Vec::new());
    let upstream = format!("proxy:\n  remoteurl: http://{}", counting.address());
    let executable = environment.write("provider", noise(SIZE, 7));
    let expected = digest(&executable);
    let file = pack(&environment, "provider.par.gz", &executable);
    let reference = origin.reference("org/provider:1.0.0");
    push(&environment, &reference, &file);
    let size = fs::metadata(&file).unwrap().len();

    let settings = |mirror: &Registry| {
        let address = mirror.address();
        format!("[host.\"http://{address}\"]\ncapabilities = [\"pull\", \"resolve\"]\n")
    };
    let start = |mirror: &Registry| {
        let before = counting.traffic("/blobs/").1;
        let took = start_all(&settings(mirror), origin.address(), &reference, &expected);
        (took, counting.traffic("/blobs/").1 - before)
    };
    let direct = HOSTS as u64 * size;
    let mirror = Registry::builder().section(&upstream).start();
    let (took, left) = start(&mirror);
    eprintln!("{HOSTS} hosts, cold: {left} bytes of {direct} left the origin, {took:?}");
    assert!(left >= size, "{left} of {size}");
    // For content that it does not have, the registry asks the origin twice: once to answer, and once to store it.
    assert!(left <= 2 * direct, "{left} of {direct}");

    // The registry stores content after it has passed it on. A layer is stored when the repository has a link to it.
    let layer = digest(&file);
    let hex = layer.trim_start_matches("sha256:");
    let layers = "docker/registry/v2/repositories/org/provider/_layers/sha256";
    let link = mirror.storage().join(layers).join(hex).join("link");
    wait_until("the archive in the pull-through registry", || {
        fs::read_to_string(&link).is_ok_and(|link| link == layer)
    });

    let (took, left) = start(&mirror);
    eprintln!("{HOSTS} hosts, warm: {left} bytes of {direct} left the origin, {took:?}");
    assert_eq!(left, 0);
}
