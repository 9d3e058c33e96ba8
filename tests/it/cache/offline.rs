//! When a registry counts as unavailable, so that the cache answers. A slow mirror or credential helper does not make
//! it unavailable.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use super::{Provider, TRUE};
use crate::hosts::configure;
use crate::support::{Environment, Outcome, Registry};
use crate::transfer::{digest, par, push, text};

/// Asserts that a fetch returned the executable that the tag was moved to, and that no registry counted as
/// unavailable.
#[track_caller]
fn is_moved(outcome: Outcome) {
    let outcome = outcome.success();
    assert!(!outcome.stderr.contains("unconfirmed"), "{outcome}");
    let executable = digest(Path::new(outcome.line()));
    assert_eq!(executable, digest(Path::new(TRUE)), "{outcome}");
}

#[test]
fn the_registry_is_asked_when_a_mirror_hangs() {
    let provider = Provider::new();
    provider.fetches_the_executable();
    provider.move_tag();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hosts = format!(
        "[host.\"http://{}\"]\ncapabilities = [\"pull\", \"resolve\"]",
        silent.local_addr().unwrap()
    );
    configure(&provider.environment, provider.registry.address(), &hosts);
    is_moved(provider.fetch(&[]));
}

#[test]
fn a_slow_credential_helper_does_not_make_the_registry_unavailable() {
    let mut provider = Provider::new();
    let locked = Registry::builder()
        .htpasswd("tester", "password")
        .storage(provider.registry.storage())
        .start();
    provider.reference = locked.reference("provider:1.0.0");
    let answer = json!({ "ServerURL": "", "Username": "tester", "Secret": "password" });
    // The helper takes longer than the client waits for a registry, but not longer than a helper may take.
    let script =
        format!("#!/bin/sh\necho \"$1\" >>asked\n[ -e slow ] && sleep 6\necho '{answer}'\n");
    let environment = &provider.environment;
    let helper = environment.write("bin/docker-credential-test", script);
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let config = json!({ "credsStore": "test" }).to_string();
    environment.write("../home/.docker/config.json", config);
    let fetch = || {
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", text(helper.parent().unwrap()));
        let mut command = environment.command();
        command.env("PATH", path);
        command.args(["fetch", &provider.reference]);
        Outcome::of(command, b"")
    };
    fetch().success();

    let elsewhere = Environment::new();
    let file = crate::transfer::pack(&elsewhere, "other.par.gz", Path::new(TRUE));
    push(
        &elsewhere,
        &provider.registry.reference("provider:1.0.0"),
        &file,
    );
    environment.write("slow", "");
    fs::remove_file(environment.path("asked")).unwrap();
    is_moved(fetch());
    // The helper is asked once.
    let asked = fs::read_to_string(environment.path("asked")).unwrap();
    assert_eq!(asked, "get\n");
}

#[test]
fn the_answers_of_mirrors_are_reported_when_the_registry_is_unavailable() {
    let provider = Provider::new();
    let empty = Registry::start();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let away = closed.unwrap().to_string();
    let hosts = format!("[host.\"http://{}\"]", empty.address());
    configure(&provider.environment, &away, &hosts);
    let reference = format!("{away}/provider:1.0.0");
    let fetch = ["fetch", &reference, "--patience", "0"];
    let refused = par(&provider.environment, fetch).exit(6);
    let said = format!("{} does not have the manifest 1.0.0", empty.address());
    assert!(refused.stderr.contains(&said), "{refused}");
    assert!(refused.stderr.contains("is not answering"), "{refused}");
    assert!(refused.stderr.contains("par doctor"), "{refused}");
}
