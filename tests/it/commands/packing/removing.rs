//! `par remove`

use std::fs;

use serde_json::json;

use super::super::{good_archive, lasting, normalized};
use crate::support::Environment;
use crate::support::archives::{LINUX, MACOS};

#[test]
fn removing_an_executable_changes_nothing_else() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par.gz");
    environment.write("keys/whatever.nk", &seed);
    let inspect = ["inspect", "good.par.gz", "-o", "json"];
    let inspected = || lasting(environment.par(inspect).success().json());
    let mut expected = inspected();
    let remove = ["remove", "good.par.gz", "--target", LINUX.0, "-d", "keys"];
    let outcome = environment.par(remove).success();
    assert_eq!(outcome.line(), "good.par.gz");
    assert_eq!(outcome.stderr, "");
    expected["targets"] = json!([MACOS.0]);
    assert_eq!(inspected(), expected);
    let archive = fs::read(environment.path("good.par.gz")).unwrap();
    assert_eq!(archive[..2], [0x1f, 0x8b], "still compressed");
}

#[test]
fn a_missing_target_is_not_found_and_the_last_executable_is_not_removed() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    let before = fs::read(environment.path("good.par")).unwrap();
    let remove = ["remove", "good.par", "-i", &seed, "--target"];
    let outcome = environment
        .par([&remove[..], &["arm-linux"]].concat())
        .exit(3);
    insta::assert_snapshot!(normalized(&outcome.stderr, &environment), @"error: cannot use the archive good.par: it has no executable for arm-linux; it has aarch64-macos, x86_64-linux");
    let all = [&remove[..], &[LINUX.0, "--target", MACOS.0]].concat();
    let outcome = environment.par(all).exit(2);
    insta::assert_snapshot!(normalized(&outcome.stderr, &environment), @"
    error: an archive needs at least one executable, and none would be left
    hint: delete the file, or insert another executable first
    ");
    assert_eq!(fs::read(environment.path("good.par")).unwrap(), before);
}

#[test]
fn remove_needs_a_target() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let outcome = environment.par(["remove", "good.par"]).exit(2);
    assert!(outcome.stderr.contains("--target"), "{outcome}");
}
