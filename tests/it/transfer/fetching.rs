//! Fetch: the executable can be run, and no request is sent without need.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasmcloud_par::archive::Target;

use super::{cached, digest, pack, par, push, requests_about, small};
use crate::support::{Environment, Registry};

/// An executable of this machine that prints its arguments.
const ECHO: &str = "/bin/echo";
/// An executable of this machine that prints nothing.
const TRUE: &str = "/bin/true";

/// Pushes an archive of this executable to `provider:1.0.0`. Returns the archive and the digest of the manifest.
fn pushed(environment: &Environment, registry: &Registry, executable: &str) -> (PathBuf, String) {
    let file = pack(environment, "provider.par.gz", Path::new(executable));
    let digest = push(environment, &registry.reference("provider:1.0.0"), &file);
    (file, digest)
}

#[test]
fn a_fetched_executable_can_be_run_and_is_named_by_its_provider_and_its_signed_hash() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let (_, manifest) = pushed(&environment, &registry, ECHO);

    let reference = registry.reference("provider:1.0.0");
    let outcome = par(&environment, ["fetch", &reference, "-o", "json"]).success();

    let fetched = outcome.json();
    assert_eq!(fetched["digest"], manifest.as_str());
    assert_eq!(fetched["cached"], false);
    let path = PathBuf::from(fetched["file"].as_str().unwrap());
    let hash = digest(Path::new(ECHO));
    let cache = environment.home().join(".cache/wasmcloud-par/v1");
    let name = hash.strip_prefix("sha256:").unwrap();
    let program = format!("Test-Provider-{}", Target::host());
    let programs = cache.join("programs/sha256").join(name);
    assert_eq!(path, programs.join(program));
    assert_eq!(digest(&path), hash);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o555);
    let run = Command::new(&path).arg("it runs").output().unwrap();
    assert_eq!(run.stdout, b"it runs\n");
}

#[test]
fn a_second_fetch_only_resolves_the_tag() {
    let (environment, registry) = (Environment::new(), Registry::start());
    pushed(&environment, &registry, ECHO);
    let reference = registry.reference("provider:1.0.0");
    let first = par(&environment, ["fetch", &reference]).success();
    let before = registry.requests().len();

    let second = par(&environment, ["fetch", &reference, "-o", "json"]).success();

    assert_eq!(second.json()["file"], first.line());
    assert_eq!(second.json()["cached"], true);
    let requests = registry.requests().split_off(before);
    assert_eq!(requests, ["HEAD /v2/provider/manifests/1.0.0"]);
}

#[test]
fn a_digest_that_is_in_the_cache_needs_no_registry() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let (_, manifest) = pushed(&environment, &registry, ECHO);
    let tagged = registry.reference("provider:1.0.0");
    let pinned = registry.reference(&format!("provider@{manifest}"));
    let both = registry.reference(&format!("provider:1.0.0@{manifest}"));
    let first = par(&environment, ["fetch", &tagged]).success();
    let before = registry.requests().len();
    for reference in [&pinned, &both] {
        let again = par(&environment, ["fetch", reference]).success();
        assert_eq!(again.stdout, first.stdout);
    }
    assert_eq!(registry.requests().len(), before);

    drop(registry);

    let again = par(&environment, ["fetch", &pinned]).success();
    assert_eq!(again.stdout, first.stdout);
    let strictly = ["fetch", &tagged, "--pull", "always"];
    let gone = par(&environment, strictly).exit(6);
    assert_eq!(gone.stdout, "");
    assert!(gone.stderr.contains("is not answering"), "{gone}");
    let strictly = ["fetch", &tagged, "--pull", "always", "-o", "json"];
    let gone = par(&environment, strictly).exit(6);
    assert_eq!(gone.json()["error"]["kind"], "unavailable");
}

#[test]
fn a_moved_tag_is_noticed_and_the_old_executable_stays() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    pushed(&environment, &registry, ECHO);
    let old = par(&environment, ["fetch", &reference]).success();
    pushed(&environment, &registry, TRUE);

    let new = par(&environment, ["fetch", &reference]).success();

    let warning = format!("warning: the tag of {reference} has moved: from ");
    assert!(new.stderr.starts_with(&warning), "{new}");
    assert_eq!(new.stderr.lines().count(), 1, "{new}");
    assert_eq!(digest(Path::new(new.line())), digest(Path::new(TRUE)));
    assert_eq!(digest(Path::new(old.line())), digest(Path::new(ECHO)));
}

#[test]
fn two_versions_with_the_same_executable_share_it() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let mut paths = Vec::new();
    for tag in ["1.0.0", "1.0.1"] {
        let name = format!("{tag}.par.gz");
        let file = pack(&environment, &name, Path::new(ECHO));
        let reference = registry.reference(&format!("provider:{tag}"));
        push(&environment, &reference, &file);
        paths.push(par(&environment, ["fetch", &reference]).success().stdout);
    }
    assert_eq!(paths[0], paths[1]);
    assert_eq!(cached(&environment, "executables").len(), 1);
}

#[test]
fn an_absent_target_is_not_found_and_the_present_ones_are_listed() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    push(&environment, &reference, &small(&environment, "made.par"));
    let outcome = par(
        &environment,
        ["fetch", &reference, "--target", "mips-linux"],
    )
    .exit(3);
    assert!(outcome.stderr.contains("aarch64-macos"), "{outcome}");
    assert_eq!(cached(&environment, "executables"), [""; 0]);
}

#[test]
fn another_target_of_a_cached_archive_is_not_downloaded() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "made.par");
    let reference = registry.reference("provider:1.0.0");
    push(&environment, &reference, &file);
    for target in ["x86_64-linux", "aarch64-macos"] {
        par(&environment, ["fetch", &reference, "--target", target]).success();
    }
    assert_eq!(requests_about(&registry, "GET", &digest(&file)), 1);
    assert_eq!(cached(&environment, "executables").len(), 2);
}
