//! `--target`: the names in the archive count before the targets that they stand for.

use std::fs;

use nkeys::KeyPair;
use serde_json::json;

use super::super::normalized;
use crate::support::Environment;
use crate::support::archives::{ArchiveBuilder, headed};

const LINUX: &str = "x86_64-linux";
const MUSL: &str = "x86_64-unknown-linux-musl";

/// Returns an executable that says which target it is for.
fn executable(target: &str) -> Vec<u8> {
    headed(LINUX, target)
}

/// Packs an archive with an executable for each of the targets, and returns the seed of its issuer.
fn archive(environment: &Environment, name: &str, targets: &[&str]) -> String {
    let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
    let seed = issuer.seed().unwrap();
    let builder = ArchiveBuilder::empty().keys(issuer, subject);
    let builder = targets.iter().fold(builder, |builder, target| {
        builder.executable(&format!("{target}.bin"), &executable(target))
    });
    environment.write(name, builder.build());
    seed
}

fn targets(environment: &Environment, archive: &str) -> serde_json::Value {
    let inspect = environment.par(["inspect", archive, "-o", "json"]);
    inspect.success().json()["targets"].clone()
}

#[test]
fn the_executable_with_the_written_name_is_handed_out() {
    let cases: [(&[&str], &str, Option<&str>); 9] = [
        (&[LINUX, MUSL], MUSL, Some(MUSL)),
        (&[LINUX, MUSL], LINUX, Some(LINUX)),
        (&[LINUX, MUSL], "linux/amd64", Some(LINUX)),
        (&[LINUX, MUSL], "x86_64-unknown-linux-gnu", Some(LINUX)),
        (&[LINUX], MUSL, Some(LINUX)),
        (&[MUSL], MUSL, Some(MUSL)),
        (&[MUSL], LINUX, None),
        (&[LINUX, "plugin"], "plugin", Some("plugin")),
        (&[LINUX], "plugin", None),
    ];
    for (carried, written, chosen) in cases {
        let environment = Environment::new();
        archive(&environment, "good.par", carried);
        let layout = "oci-layout://layout:1";
        environment.par(["push", layout, "good.par"]).success();
        for source in ["good.par", layout] {
            let extract = ["extract", source, "--target", written, "-o", "json"];
            let outcome = environment.par(extract);
            let Some(chosen) = chosen else {
                let outcome = outcome.exit(3);
                let said = format!("no executable for {written}");
                assert!(outcome.stdout.contains(&said), "{carried:?} {outcome}");
                continue;
            };
            let object = outcome.success().json();
            assert_eq!(object["target"], chosen, "{carried:?} {written}");
            let file = object["file"].as_str().unwrap();
            assert!(file.ends_with(&format!("-{chosen}")), "{file}");
            let bytes = fs::read(environment.path(file)).unwrap();
            assert_eq!(bytes, executable(chosen), "{carried:?} {written}");
        }
        let fetch = ["fetch", layout, "--target", written, "-o", "json"];
        let fetched = environment.par(fetch);
        match chosen {
            None => drop(fetched.exit(3)),
            Some(chosen) => {
                let object = fetched.success().json();
                assert_eq!(object["target"], chosen, "{carried:?} {written}");
                let bytes = fs::read(object["file"].as_str().unwrap()).unwrap();
                assert_eq!(bytes, executable(chosen), "{carried:?} {written}");
            }
        }
    }
}

#[test]
fn the_executable_with_the_written_name_is_removed() {
    let cases: [(&[&str], &[&str], &[&str]); 6] = [
        (&[LINUX, MUSL], &[MUSL], &[LINUX]),
        (&[LINUX, MUSL], &[LINUX], &[MUSL]),
        (&[LINUX, MUSL], &["linux/amd64"], &[MUSL]),
        (&["arm-linux", LINUX], &[MUSL], &["arm-linux"]),
        (
            &["arm-linux", LINUX, MUSL],
            &[MUSL, MUSL, LINUX],
            &["arm-linux"],
        ),
        (&[LINUX, "plugin"], &["plugin"], &[LINUX]),
    ];
    for (carried, removed, left) in cases {
        let environment = Environment::new();
        let seed = archive(&environment, "good.par", carried);
        let mut arguments = vec!["remove", "good.par", "-i", &seed];
        arguments.extend(removed.iter().flat_map(|target| ["--target", target]));
        environment.par(arguments).success();
        assert_eq!(
            targets(&environment, "good.par"),
            json!(left),
            "{removed:?}"
        );
    }
}

#[test]
fn the_executable_with_the_written_name_is_exported_and_read_for_a_bill() {
    let environment = Environment::new();
    archive(&environment, "good.par", &[LINUX, MUSL]);
    let layout = "oci-layout://layout:1";
    environment.par(["push", layout, "good.par"]).success();
    for source in ["good.par", layout] {
        for (written, chosen, other) in [(MUSL, MUSL, LINUX), ("linux/amd64", LINUX, MUSL)] {
            let export = [
                "export",
                source,
                "image.tar",
                "--target",
                written,
                "-o",
                "json",
            ];
            let object = environment.par(export).success().json();
            assert_eq!(object["images"][0]["target"], chosen, "{object}");
            assert_eq!(object["left_out"], json!([other]), "{object}");
            let bill = environment
                .par(["sbom", source, "--target", written])
                .exit(3);
            let said = format!("the executable for {chosen} says nothing");
            assert!(bill.stderr.contains(&said), "{bill}");
            assert!(
                !bill.stderr.contains(&format!("for {other} says")),
                "{bill}"
            );
        }
    }
}

#[test]
fn a_name_that_no_entry_can_have_is_refused_without_reading_the_archive() {
    let environment = Environment::new();
    for name in ["", "../x-linux", "a b-linux", "claims", "linux/none"] {
        for command in [
            &["extract", "none.par"][..],
            &["remove", "none.par"],
            &["export", "none.par", "image.tar"],
            &["sbom", "none.par"],
            &["fetch", "oci-layout://none:1"],
        ] {
            let outcome = environment
                .par([command, &["--target", name]].concat())
                .exit(2);
            assert!(outcome.stderr.contains("is not a target"), "{outcome}");
        }
    }
    archive(&environment, "good.par", &[LINUX, MUSL]);
    let outcome = environment
        .par(["extract", "good.par", "--target", "linux"])
        .exit(3);
    insta::assert_snapshot!(normalized(&outcome.stderr, &environment), @"error: cannot use the archive good.par: it has no executable for linux; it has x86_64-linux, x86_64-unknown-linux-musl");
}
