//! How long the client waits for a registry, and which messages the user gets.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use wasmcloud_par::archive::Target;
use wasmcloud_par::client::Client;
use wasmcloud_par::content::ErrorKind;

use super::{anonymous, block_on, client, client_with, options, parse, pushed, sample};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry, shared_registry, unique};

#[test]
fn a_registry_that_stays_unavailable_is_reported_when_patience_is_over() {
    // The first server does not accept, the second does not listen, and at the third an upload stalls.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent
        .local_addr()
        .map(|address| (address, silent))
        .unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let middle = Fault::StallRequest(sample().size() / 2);
    let stalling = Rule::on("PUT", &sample().hex(), middle).always();
    let stalling = Proxy::to(shared_registry(), vec![stalling]);
    block_on(async {
        for address in [
            &silent.0.to_string(),
            &closed.unwrap().to_string(),
            stalling.address(),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("provider.par");
            std::fs::write(&file, &sample().archive).unwrap();
            let reference = parse(&format!("{address}/faults/away:1.0.0"));
            let client = client_with(
                directory.path(),
                anonymous(directory.path()),
                Duration::from_secs(1),
            );
            let started = Instant::now();
            let pushed = client.push(&file, &reference, &BTreeMap::new()).await;
            let took = started.elapsed();
            assert_eq!(pushed.unwrap_err().kind(), ErrorKind::Unavailable);
            // Patience is 2.5 seconds here; the rest is for a slow machine.
            let allowed = Duration::from_secs(1)..Duration::from_secs(60);
            assert!(allowed.contains(&took), "{address}: {took:?}");
        }
    });
}

#[test]
fn no_silent_request_takes_longer_than_patience_allows() {
    let name = block_on(pushed(sample()));
    let environment = Environment::new();
    let file = environment.write("provider.par", &sample().archive);
    let file = file.to_str().unwrap();
    let target = Target::host().to_string();
    for (method, path, command) in [
        (
            "GET",
            "/blobs/",
            &["fetch", "HERE", "--target", &target][..],
        ),
        ("POST", "/blobs/uploads/", &["push", "NEW", file]),
        ("PUT", "/blobs/", &["push", "NEW", file]),
        ("PUT", "/manifests/", &["push", "NEW", file]),
    ] {
        let silent = Rule::on(method, path, Fault::StallRequest(0)).always();
        let proxy = Proxy::to(shared_registry(), vec![silent]);
        let here = proxy.reference(&name);
        let new = proxy.reference(&format!("{}:1", unique("faults")));
        let arguments = command.iter().map(|argument| match *argument {
            "HERE" => here.as_str(),
            "NEW" => new.as_str(),
            argument => argument,
        });
        let started = Instant::now();
        let outcome = environment.par(arguments.chain(["--patience", "3"]));
        let took = started.elapsed();
        outcome.exit(6);
        assert!(!proxy.seen(method, path).is_empty(), "{method} {path}");
        // Without a limit it takes 30 seconds.
        assert!(
            took < Duration::from_secs(25),
            "{method} {path} took {took:?}"
        );
    }
}

#[test]
fn the_longest_duration_is_allowed_for_each_limit() {
    let name = block_on(pushed(sample()));
    let away = |method, path| Rule::on(method, path, Fault::status("503 Away"));
    let rules = vec![away("GET", "/blobs/"), away("PUT", "/blobs/")];
    let proxy = Proxy::to(shared_registry(), rules);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("provider.par");
    std::fs::write(&file, &sample().archive).unwrap();
    let mut options = options(
        directory.path(),
        anonymous(directory.path()),
        Duration::ZERO,
    );
    let retry = &mut options.registry.retry;
    retry.connect_timeout = Duration::MAX;
    retry.stall_timeout = Duration::MAX;
    retry.patience = Duration::MAX;
    retry.longest_delay = Duration::MAX;
    retry.longest_retry_after = Duration::MAX;
    let client = Client::new(options).unwrap();
    block_on(async {
        let target = Target::host();
        let fetched = client.fetch(&parse(&proxy.reference(&name)), &target).await;
        assert!(fetched.unwrap().path.is_file());
        let new = parse(&proxy.reference(&format!("{}:1", unique("faults"))));
        client.push(&file, &new, &BTreeMap::new()).await.unwrap();
    });
    assert!(proxy.seen("PUT", "/blobs/").len() > 1);
}

#[test]
fn retries_are_logged_with_verbose_only() {
    let name = block_on(pushed(sample()));
    let target = Target::host().to_string();
    for (options, exit, said) in [
        (
            &["--verbose"][..],
            0,
            "HTTP 503, away); attempt 2 follows in",
        ),
        (&[], 0, ""),
        (&["--patience", "0"], 6, "HTTP 503, away"),
    ] {
        let away = Fault::Answer {
            status: "503 Away",
            headers: vec![("content-type", "text/plain".to_owned())],
            body: "away",
        };
        let rules = vec![Rule::on("GET", "/blobs/", away)];
        let proxy = Proxy::to(shared_registry(), rules);
        let environment = Environment::new();
        let reference = proxy.reference(&name);
        let arguments = ["fetch", &reference, "--target", &target];
        let outcome = environment.par(arguments.iter().chain(options)).exit(exit);
        match said {
            "" => assert_eq!(outcome.stderr, ""),
            said => assert!(outcome.stderr.contains(said), "{outcome}"),
        }
        let requests = proxy.seen("GET", "/blobs/").len();
        assert_eq!(requests, if exit == 0 { 2 } else { 1 });
    }
}

#[test]
fn simultaneous_pushes_of_one_archive_to_one_tag_all_succeed() {
    // `registry:2` answers some of them with HTTP 500.
    let registry = Registry::start();
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("provider.par");
        std::fs::write(&file, &sample().archive).unwrap();
        let reference = parse(&registry.reference("provider:1.0.0"));
        let annotations = BTreeMap::new();
        let clients: Vec<_> = (0..6).map(|_| client(directory.path())).collect();
        let pushes = clients.iter();
        let pushes = pushes.map(|client| client.push(&file, &reference, &annotations));
        for pushed in futures_util::future::join_all(pushes).await {
            pushed.unwrap();
        }
    });
}
