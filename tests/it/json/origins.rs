//! `from` and `stale`: which host answered, and whether its answer may be out of date.

use std::path::Path;

use serde_json::{Value, json};

use crate::hosts::configure;
use crate::support::{Environment, Outcome, Registry};
use crate::transfer::pack;

/// Runs `par` with `-o json`, and returns its answer.
#[track_caller]
fn answer(environment: &Environment, arguments: &[&str]) -> Value {
    let mut command = environment.command();
    command.args(arguments).args(["-o", "json"]);
    command.env("PAR_PATIENCE", "1");
    Outcome::of(command, b"").success().json()
}

#[track_caller]
fn assert_origin(answer: &Value, from: &[&str], stale: bool) {
    assert_eq!(answer["from"], json!(from), "{answer}");
    assert_eq!(answer["stale"], stale, "{answer}");
}

/// An environment, and a registry to which it has pushed the returned reference.
fn pushed() -> (Environment, Registry, String) {
    let (environment, registry) = (Environment::new(), Registry::start());
    pack(&environment, "provider.par.gz", Path::new("/bin/true"));
    let reference = registry.reference("provider:1.0.0");
    let answer = answer(&environment, &["push", &reference, "provider.par.gz"]);
    assert_origin(&answer, &[registry.address()], false);
    (environment, registry, reference)
}

#[test]
fn a_registry_that_answers_is_named() {
    let (environment, registry, reference) = pushed();
    let repository = registry.reference("provider");
    let commands: [&[&str]; 10] = [
        &["resolve", &reference],
        &["fetch", &reference],
        &["pull", &reference],
        &["inspect", &reference],
        &["verify", &reference],
        &["diff", &reference, "provider.par.gz"],
        &["extract", &reference, "--destination", "extracted"],
        &["tags", &repository],
        &["tag", &reference, "1.0"],
        &["doctor", &repository],
    ];
    for command in commands {
        assert_origin(&answer(&environment, command), &[registry.address()], false);
    }
}

#[test]
fn files_and_layouts_come_from_no_host() {
    let (environment, registry, reference) = pushed();
    let copied = answer(&environment, &["copy", &reference, "oci-layout://layout:1"]);
    assert_origin(&copied, &[registry.address()], false);
    let resolved = answer(&environment, &["resolve", "oci-layout://layout:1"]);
    assert_origin(&resolved, &[], false);
    let inspected = answer(&environment, &["inspect", "provider.par.gz"]);
    assert!(inspected.get("from").is_none() && inspected.get("stale").is_none());
}

#[test]
fn an_answer_of_the_cache_is_stale_only_if_the_registry_did_not_answer() {
    let (environment, registry, reference) = pushed();
    let fetched = answer(&environment, &["fetch", &reference]);
    let pinned = fetched["reference"].as_str().unwrap();
    assert_origin(&answer(&environment, &["fetch", pinned]), &["cache"], false);
    let never = ["fetch", &reference, "--pull", "never"];
    assert_origin(&answer(&environment, &never), &["cache"], false);
    drop(registry);
    for command in ["fetch", "pull"] {
        let stale = answer(&environment, &[command, &reference]);
        assert_origin(&stale, &["cache"], true);
        let warnings = stale["warnings"].to_string();
        assert!(warnings.contains("is unconfirmed since"), "{stale}");
    }
    let missing = ["fetch", &reference, "--pull", "missing"];
    assert_origin(&answer(&environment, &missing), &["cache"], false);
}

#[test]
fn mirrors_are_named_for_what_they_served() {
    let (environment, origin, reference) = pushed();
    let mirror = Registry::builder().storage(origin.storage()).start();
    let hosts = |capabilities: &str| {
        let address = mirror.address();
        let toml = format!("[host.\"http://{address}\"]\ncapabilities = [{capabilities}]");
        configure(&environment, origin.address(), &toml);
    };
    let fresh = |command: &str| {
        let cache = environment.path(&format!("cache-{command}-{}", mirror.requests().len()));
        let cache = cache.to_str().unwrap();
        answer(&environment, &[command, &reference, "--cache-dir", cache])
    };
    hosts("\"pull\"");
    assert_origin(&fresh("pull"), &[origin.address(), mirror.address()], false);
    hosts("\"pull\", \"resolve\"");
    assert_origin(&fresh("pull"), &[mirror.address()], false);
    assert_origin(&fresh("resolve"), &[mirror.address()], false);
    let repeated = ["push", &reference, "provider.par.gz"];
    assert_origin(&answer(&environment, &repeated), &[origin.address()], false);
}

#[test]
fn a_mirror_with_other_content_is_not_named() {
    let (environment, origin, reference) = pushed();
    // The mirror has neither the repository nor its content.
    let mirror = Registry::start();
    let toml = format!("[host.\"http://{}\"]", mirror.address());
    configure(
        &environment,
        origin.address(),
        &format!("{toml}\ncapabilities = [\"pull\", \"resolve\"]"),
    );
    let pulled = answer(&environment, &["pull", &reference]);
    assert!(!mirror.requests().is_empty());
    assert_origin(&pulled, &[origin.address()], false);
}
