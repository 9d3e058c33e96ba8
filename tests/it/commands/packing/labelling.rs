//! An executable that is packed for a target it is not for: packed, and warned of.

use serde_json::{Value, json};

use super::super::good_archive;
use crate::support::archives::headed;
use crate::support::{Environment, Outcome};

const CREATE: [&str; 7] = ["create", "-n", "N", "-v", "V", "--destination", "out.par"];

fn create(environment: &Environment, arguments: &[&str]) -> Outcome {
    environment.par([&CREATE[..], arguments].concat()).success()
}

fn warnings(outcome: &Outcome) -> Vec<String> {
    serde_json::from_value(outcome.json()["warnings"].clone()).unwrap()
}

#[test]
fn the_command_itself_is_for_this_machine_and_for_no_other() {
    let environment = Environment::new();
    let par = env!("CARGO_BIN_EXE_par");
    // For this machine is the default; the keys are announced the first time.
    create(&environment, &["-b", par]);
    let outcome = create(&environment, &["-b", par, "-o", "json"]);
    assert_eq!(outcome.json()["warnings"], json!([]));
    assert_eq!(outcome.stderr, "");
    for target in ["s390x-linux", "mips-linux", "x86-windows", "arm-ios"] {
        let binary = format!("{target}={par}");
        let outcome = create(&environment, &["-b", &binary, "-o", "json"]);
        let warnings = warnings(&outcome);
        assert_eq!(warnings.len(), 1, "{outcome}");
        assert_eq!(outcome.stderr, format!("warning: {}\n", warnings[0]));
        assert!(warnings[0].contains(target), "{outcome}");
    }
    // Nothing is known of these.
    for target in ["x86_64-plan9", "z80-linux"] {
        let outcome = create(&environment, &["-b", &format!("{target}={par}")]);
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn what_it_is_instead_is_said() {
    let environment = Environment::new();
    environment.write("mac", headed("aarch64-macos", ""));
    environment.write("arm", headed("aarch64-linux", ""));
    environment.write("script", "#!/bin/sh\nexec provider\n");
    environment.write("notes.txt", "to be built");
    let arguments = [
        "-b",
        "x86_64-linux=mac",
        "-b",
        "riscv64gc-linux=arm",
        "-b",
        "x86-linux=script",
        "-b",
        "x86_64-windows=notes.txt",
    ];
    create(&environment, &arguments);
    let outcome = create(&environment, &arguments);
    insta::assert_snapshot!(outcome.stderr, @"
    warning: hosts of x86_64-linux cannot run mac, which was packed as it is: it is a Mach-O file (macOS, iOS) for aarch64
    warning: hosts of riscv64gc-linux cannot run arm, which was packed as it is: it is an ELF file (Linux, FreeBSD, Android) for aarch64
    warning: hosts of x86-linux cannot run script, which was packed as it is: it is a script
    warning: hosts of x86_64-windows cannot run notes.txt, which was packed as it is: it is no executable: neither ELF, Mach-O nor PE
    ");
    assert_eq!(
        create(&environment, &[&arguments[..], &["-q"]].concat()).stderr,
        ""
    );
}

#[test]
fn inserting_warns_as_packing_does() {
    let environment = Environment::new();
    let seed = good_archive(&environment, "good.par");
    environment.write("arm", headed("aarch64-linux", ""));
    let insert = |target: &str| {
        let binary = format!("{target}=arm");
        let arguments = [
            "insert", "good.par", "-b", &binary, "-i", &seed, "-o", "json",
        ];
        environment.par(arguments).success()
    };
    assert_eq!(
        insert("aarch64-linux").json()["warnings"],
        Value::Array(Vec::new())
    );
    let outcome = insert("x86_64-linux");
    assert_eq!(warnings(&outcome).len(), 1);
    assert!(
        outcome
            .stderr
            .starts_with("warning: hosts of x86_64-linux cannot run arm"),
        "{outcome}"
    );
}

#[test]
fn a_command_that_fails_packs_nothing_and_warns_of_nothing() {
    let environment = Environment::new();
    environment.write("arm", headed("aarch64-linux", ""));
    let arguments = ["-b", "x86_64-linux=arm", "--disable-keygen"];
    let outcome = environment.par([&CREATE[..], &arguments].concat()).exit(3);
    assert!(outcome.stderr.starts_with("error: "), "{outcome}");
}
