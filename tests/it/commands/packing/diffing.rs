//! `par diff`

use nkeys::KeyPair;
use serde_json::json;

use super::super::{good_archive, normalized};
use crate::support::Environment;
use crate::support::archives::{ArchiveBuilder, LINUX};

#[test]
fn archives_with_equal_claims_and_contents_do_not_differ() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "a.par");
    std::fs::copy(environment.path("a.par"), environment.path("b.par")).unwrap();
    environment.par(["sign", "b.par", "-i", &seed]).success();
    let outcome = environment.par(["diff", "a.par", "b.par"]).success();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    let object = environment
        .par(["diff", "a.par", "b.par", "-o", "json"])
        .success()
        .json();
    let expected = json!({
        "success": true,
        "warnings": [],
        "same": true,
        "claims": {},
        "targets": {"aarch64-macos": "same", "x86_64-linux": "same"},
    });
    assert_eq!(object, expected);
}

#[test]
fn every_difference_has_a_line() {
    let environment = Environment::new();
    good_archive(&environment, "a.par");
    let other = ArchiveBuilder::empty()
        .keys(KeyPair::new_account(), KeyPair::new_service())
        .world(b"the world")
        .executable("arm-linux.bin", b"for arm")
        .executable("x86_64-linux.bin", b"a newer one")
        .payload(|payload| {
            payload.insert("exp".to_owned(), 4_102_444_800_u64.into());
        })
        .wascap(|wascap| {
            wascap.insert("name".to_owned(), "Other\u{7}".into());
            wascap.insert("vendor".to_owned(), "Acme".into());
            wascap.insert("rev".to_owned(), 8.into());
            wascap.remove("ver");
            wascap.insert("config_schema".to_owned(), json!({"type": "object"}));
        });
    environment.write("b.par.gz", other.build_gzip());
    let outcome = environment.par(["diff", "a.par", "b.par.gz"]).success();
    insta::assert_snapshot!(normalized(&outcome.stdout, &environment), @r"
    name: Test Provider -> Other\u{7}
    vendor: Test Vendor -> Acme
    version: 1.2.3 -> none
    revision: 7 -> 8
    issuer: [ACCOUNT] -> [ACCOUNT]
    service: [SERVICE] -> [SERVICE]
    expires: none -> 2100-01-01T00:00:00Z
    schema: added
    world: added
    aarch64-macos: removed
    arm-linux: added
    x86_64-linux: changed
    ");
    let object = environment
        .par(["diff", "b.par.gz", "a.par", "-o", "json"])
        .success()
        .json();
    assert_eq!(object["same"], false);
    let expires = json!({"from": "2100-01-01T00:00:00Z", "to": null});
    assert_eq!(object["claims"]["expires"], expires);
    assert_eq!(object["claims"]["revision"], json!({"from": 8, "to": 7}));
    let schema = json!({"from": {"type": "object"}, "to": null});
    assert_eq!(object["claims"]["schema"], schema);
    assert_eq!(object["claims"]["not_before"], json!(null));
    let targets =
        json!({"aarch64-macos": "added", "arm-linux": "removed", "x86_64-linux": "changed"});
    assert_eq!(object["targets"], targets);
}

#[test]
fn both_archives_are_verified() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let bad = ArchiveBuilder::two_targets().hash(LINUX.0, b"another executable");
    environment.write("bad.par", bad.build());
    for archives in [["good.par", "bad.par"], ["bad.par", "good.par"]] {
        let outcome = environment.par([&["diff"], &archives[..]].concat()).exit(5);
        assert_eq!(outcome.stdout, "");
    }
    environment.par(["diff", "good.par", "missing.par"]).exit(3);
}

#[test]
fn with_exit_code_the_exit_code_shows_whether_archives_differ() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "a.par");
    std::fs::copy(environment.path("a.par"), environment.path("b.par")).unwrap();
    let diff = |to, more: &[&str]| environment.par([&["diff", "a.par", to][..], more].concat());
    diff("b.par", &["--exit-code"]).success();
    let sign = ["sign", "b.par", "-i", &seed, "--version", "9"];
    environment.par(sign).success();
    diff("b.par", &[]).success();
    for format in ["text", "json"] {
        let outcome = diff("b.par", &["--exit-code", "-o", format]).exit(1);
        assert!(outcome.stdout.contains("version"), "{outcome}");
        assert_eq!(outcome.stderr, "");
    }
    diff("missing.par", &["--exit-code"]).exit(3);
}
