//! Executables that are packed for a target on which they cannot run: `par` warns about them.

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
fn packing_an_executable_for_another_machine_is_warned_about() {
    let environment = Environment::new();
    let par = env!("CARGO_BIN_EXE_par");
    // The default target is this machine. The first command also prints the generated keys.
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
    // The formats of these are not recognized.
    for target in ["x86_64-plan9", "z80-linux"] {
        let outcome = create(&environment, &["-b", &format!("{target}={par}")]);
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn the_warning_names_the_kind_of_the_executable() {
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
    warning: hosts of x86_64-linux cannot run mac: it is a Mach-O file (macOS, iOS) for aarch64
    warning: hosts of riscv64gc-linux cannot run arm: it is an ELF file (Linux, FreeBSD, Android) for aarch64
    warning: hosts of x86-linux cannot run script: it is a script
    warning: hosts of x86_64-windows cannot run notes.txt: it is not an executable: neither ELF, Mach-O nor PE
    ");
    assert_eq!(
        create(&environment, &[&arguments[..], &["-q"]].concat()).stderr,
        ""
    );
}

#[test]
fn inserting_prints_the_warnings_of_packing() {
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
fn a_command_that_fails_prints_no_warnings() {
    let environment = Environment::new();
    environment.write("arm", headed("aarch64-linux", ""));
    let arguments = ["-b", "x86_64-linux=arm", "--disable-keygen"];
    let outcome = environment.par([&CREATE[..], &arguments].concat()).exit(3);
    assert!(outcome.stderr.starts_with("error: "), "{outcome}");
}
