//! What a command has done when a signal arrives, and what it says about it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Stdio;

use nkeys::KeyPair;
use rustix::process::Signal;
use serde_json::{Value, json};
use wasmcloud_par::content::Digest;

use super::{End, Running, obeying_hangup};
use crate::support::{Environment, LockAttempts, schemas};

/// Starts a command whose answer, which may not fit into a pipe, goes to the file `answer`.
fn start(environment: &Environment, arguments: &[&str]) -> Running {
    let answer = fs::File::create(environment.path("answer")).unwrap();
    let mut command = obeying_hangup(environment);
    command
        .args(arguments)
        .stdout(answer)
        .stderr(Stdio::piped());
    Running {
        child: command.spawn().unwrap(),
    }
}

/// Interrupts the command, and returns its end and its answer.
fn interrupt(environment: &Environment, running: Running) -> (End, String) {
    let end = running.stop(Signal::INT);
    let answer = fs::read_to_string(environment.path("answer")).unwrap();
    (end, answer)
}

/// Creates a directory that only its user can change.
fn private(environment: &Environment, name: &str) -> PathBuf {
    let path = environment.path(name);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(&path).unwrap();
    path
}

/// Writes a document with pins of this many repositories.
fn write_pins(environment: &Environment, count: usize) {
    let (account, service) = (KeyPair::new_account(), KeyPair::new_service());
    let (issuer, service) = (account.public_key(), service.public_key());
    let pins = (0..count).map(|number| {
        json!({
            "repository": format!("ghcr.io/org/provider-{number}"),
            "issuer": issuer,
            "service": service,
            "since": "2026-01-01T00:00:00Z",
        })
    });
    let pins: Vec<_> = pins.collect();
    let document = json!({ "version": 1, "pins": pins });
    environment.write("pins.json", document.to_string());
}

/// Returns how many pins are in the state.
fn pinned(environment: &Environment) -> usize {
    let files = environment.files().into_iter();
    files.filter(|file| file.ends_with("/_identity")).count()
}

const IMPORT: [&str; 5] = ["trust", "import", "pins.json", "--state-dir", "state"];

#[test]
fn an_import_that_has_begun_is_finished_and_reported() {
    const PINS: usize = 1000;
    let environment = Environment::new();
    write_pins(&environment, PINS);
    let mut running = start(&environment, &IMPORT);
    let pins = environment.path("state/v1/identities/ghcr.io");
    running.until("a pin", || pins.exists());
    let (end, answer) = interrupt(&environment, running);
    assert_eq!(end.code, Some(0), "{}", end.stderr);
    assert_eq!(pinned(&environment), PINS);
    assert_eq!(answer.lines().count(), PINS);
}

#[test]
fn an_interrupted_import_that_has_not_begun_imports_nothing() {
    let environment = Environment::new();
    write_pins(&environment, 3);
    let lock = private(&environment, "state/v1").join("lock");
    let held = fs::File::create(&lock).unwrap();
    held.lock().unwrap();
    let attempts = LockAttempts::at(&lock);
    let mut running = start(&environment, &IMPORT);
    running.until("an attempt to lock the pins", || attempts.has_failed());
    let (end, answer) = interrupt(&environment, running);
    assert_eq!(end.code, Some(130), "{}", end.stderr);
    assert_eq!((answer.as_str(), pinned(&environment)), ("", 0));
}

#[test]
fn an_interrupted_prune_says_what_it_has_removed() {
    const FILES: usize = 2000;
    for output in ["text", "json"] {
        let environment = Environment::new();
        let blobs = private(&environment, "cache/v1/blobs/sha256");
        for number in 0..FILES {
            let content = number.to_string();
            let path = blobs.join(Digest::of(content.as_bytes()).hex());
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        }
        let left = || fs::read_dir(&blobs).unwrap().count();
        let prune = [
            "cache",
            "prune",
            "--all",
            "--cache-dir",
            "cache",
            "-o",
            output,
        ];
        let mut running = start(&environment, &prune);
        running.until("a removed file", || left() < FILES);
        let (end, answer) = interrupt(&environment, running);
        let left = left();
        // The command may have been faster than the signal.
        let code = if left == 0 { 0 } else { 130 };
        assert_eq!(end.code, Some(code), "{}", end.stderr);
        if output == "text" {
            assert_eq!(answer.lines().count(), FILES - left);
            assert!(end.stderr.contains("freed "), "{}", end.stderr);
            let says = end.stderr.ends_with("error: interrupted\n");
            assert_eq!(says, code == 130, "{}", end.stderr);
        } else {
            let answer: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(answer["removed"].as_array().unwrap().len(), FILES - left);
            let is_interrupted = answer["error"]["kind"] == "interrupted";
            assert_eq!(is_interrupted, code == 130, "{answer}");
            assert_eq!(schemas::violations("cache-prune", &answer), [""; 0]);
        }
    }
}
