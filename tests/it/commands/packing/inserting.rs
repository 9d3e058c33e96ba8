//! `par insert`

use std::fs;

use nkeys::KeyPair;
use serde_json::json;

use super::super::{good_archive, lasting, normalized};
use crate::support::Environment;
use crate::support::archives::{LINUX, MACOS, headed};

fn inspect(environment: &Environment) -> serde_json::Value {
    environment
        .par(["inspect", "good.par", "-o", "json"])
        .success()
        .json()
}

fn extracted(environment: &Environment, target: &str) -> Vec<u8> {
    let arguments = [
        "extract",
        "good.par",
        "--target",
        target,
        "--destination",
        "extracted",
    ];
    environment.par(arguments).success();
    fs::read(environment.path("extracted")).unwrap()
}

#[test]
fn inserting_adds_and_replaces_executables_and_changes_nothing_else() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    let new = headed("riscv64gc-linux", "the new one");
    let newer = headed("x86_64-linux", "the newer one");
    environment.write("new", &new);
    environment.write("newer", &newer);
    let before = inspect(&environment);
    let insert = [
        "insert",
        "good.par",
        "-b",
        "riscv64gc-linux=new",
        "-b",
        "x86_64-linux=newer",
        "-i",
    ];
    let outcome = environment.par([&insert[..], &[&seed]].concat()).success();
    assert_eq!(outcome.line(), "good.par");
    assert_eq!(outcome.stderr, "");
    let mut expected = lasting(before);
    expected["targets"] = json!(["aarch64-macos", "riscv64gc-linux", "x86_64-linux"]);
    assert_eq!(lasting(inspect(&environment)), expected);
    assert_eq!(extracted(&environment, "riscv64gc-linux"), new);
    assert_eq!(extracted(&environment, LINUX.0), newer);
    assert_eq!(extracted(&environment, MACOS.0), MACOS.1);
    let home = environment
        .files()
        .iter()
        .any(|name| name.starts_with("home/"));
    assert!(!home, "no key was made");
}

#[test]
fn the_key_of_the_archive_is_found_by_its_public_key() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    environment.write("new", "the new one");
    // The key has another name than the one that `create` looks for.
    environment.write("keys/whatever.nk", &seed);
    let before = inspect(&environment);
    let insert = [
        "insert",
        "good.par",
        "-b",
        "arm-linux=new",
        "-d",
        "keys",
        "-o",
        "json",
    ];
    let object = environment.par(insert).success().json();
    assert_eq!(object["success"], true);
    assert_eq!(object["file"], "good.par");
    assert_eq!(object["issuer"], before["issuer"]);
    assert_eq!(object["service"], before["service"]);
    assert_eq!(
        object["targets"],
        json!(["aarch64-macos", "arm-linux", "x86_64-linux"])
    );
}

#[test]
fn another_identity_is_refused_until_it_is_allowed() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    environment.write("new", "the new one");
    let before = fs::read(environment.path("good.par")).unwrap();
    let files = environment.files();
    let (account, service) = (KeyPair::new_account(), KeyPair::new_service());
    let account_seed = account.seed().unwrap();
    let service_seed = service.seed().unwrap();
    let insert = ["insert", "good.par", "-b", "arm-linux=new"];
    let another_issuer = [&insert[..], &["-i", &account_seed]].concat();
    let another_subject = [&insert[..], &["-i", &seed, "-s", &service_seed]].concat();

    let outcome = environment.par(&another_issuer).exit(2);
    insta::assert_snapshot!(normalized(&outcome.stderr, &environment), @"
    error: the issuer would change from [ACCOUNT] to [ACCOUNT], and with it the provider's identity
    hint: sign with the archive's own keys, or allow the change with --change-identity
    ");
    let outcome = environment.par(&another_subject).exit(2);
    insta::assert_snapshot!(normalized(&outcome.stderr, &environment), @"
    error: the subject would change from [SERVICE] to [SERVICE], and with it the provider's identity
    hint: sign with the archive's own keys, or allow the change with --change-identity
    ");
    assert_eq!(fs::read(environment.path("good.par")).unwrap(), before);
    assert_eq!(environment.files(), files);

    environment
        .par([&another_issuer[..], &["--change-identity"]].concat())
        .success();
    assert_eq!(inspect(&environment)["issuer"], account.public_key());
    let both = [
        &insert[..],
        &[
            "-i",
            &account_seed,
            "-s",
            &service_seed,
            "--change-identity",
        ],
    ];
    environment.par(both.concat()).success();
    let after = inspect(&environment);
    assert_eq!(after["issuer"], account.public_key());
    assert_eq!(after["service"], service.public_key());
}
