//! Fetching everything in a lock.

use std::fs;
use std::path::Path;

use super::Deployment;
use crate::support::archives::LINUX;

#[test]
fn everything_in_the_lock_is_fetched() {
    let deployment = Deployment::locked();
    deployment.move_tag();
    let fetch = ["fetch", "--locked", "--target", LINUX.0];
    let fetched = deployment.par(&fetch).success();
    let lines: Vec<_> = fetched.stdout.lines().collect();
    let found = lines.iter().map(|line| line.split_once(' ').unwrap());
    for ((reference, path), expected) in found.zip([&deployment.a.0, &deployment.b.0]) {
        assert_eq!(reference, expected.as_str());
        assert_eq!(fs::read(Path::new(path)).unwrap(), LINUX.1);
    }
    assert_eq!(lines.len(), 2);

    let json = [&fetch[..], &["-o", "json"]].concat();
    let object = deployment.par(&json).success().json();
    let fetched = object["fetched"].as_array().unwrap();
    let digests: Vec<_> = fetched.iter().map(|fetched| &fetched["digest"]).collect();
    assert_eq!(digests, [&deployment.a.1, &deployment.b.1]);
    assert_eq!(fetched[0]["cached"], true);
    assert_eq!(object["failures"].as_array().unwrap().len(), 0);
}

#[test]
fn a_failure_does_not_keep_the_rest_of_the_lock_from_being_fetched() {
    let deployment = Deployment::locked();
    let gone = deployment
        .lock_file()
        .replace(&deployment.a.1, &format!("sha256:{}", "0".repeat(64)));
    let file = deployment.environment.write("gone.lock", gone);
    let file = file.to_str().unwrap();
    let fetch = ["fetch", "--lock-file", file, "--target", LINUX.0];
    let fetched = deployment.par(&fetch).exit(3);
    assert!(fetched.stdout.starts_with(&deployment.b.0), "{fetched}");
    assert!(fetched.stderr.contains("sha256:000000"), "{fetched}");
    let json = [&fetch[..], &["-o", "json"]].concat();
    let object = deployment.par(&json).exit(3).json();
    assert_eq!(object["failures"][0]["what"], deployment.a.0.as_str());
    assert_eq!(object["fetched"][0]["reference"], deployment.b.0.as_str());

    let other = ["fetch", "--locked", "--target", "riscv64-linux"];
    let refused = deployment.par(&other).exit(3);
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("not everything"), "{refused}");
}

#[test]
fn without_a_lock_a_reference_is_needed() {
    let deployment = Deployment::new();
    deployment.par(&["fetch"]).exit(2);
    deployment.par(&["fetch", "--locked"]).exit(3);
}

#[test]
fn a_lock_file_without_entries_is_reported() {
    let deployment = Deployment::new();
    deployment.environment.write("par.lock", "version = 1\n");
    let fetched = deployment.par(&["fetch", "--locked"]).success();
    assert!(fetched.stderr.contains("no entries"), "{fetched}");
}

#[test]
fn one_cause_of_many_failures_is_printed_once() {
    let deployment = Deployment::locked();
    deployment.environment.write("file", "");
    let fetch = ["fetch", "--locked", "--cache-dir", "file/cache"];
    let fetched = deployment.par(&fetch).exit(2);
    let count = fetched.stderr.matches("not a directory").count();
    assert_eq!(count, 1, "{fetched}");
}
