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
    // The only warning is that the executable needs a C library.
    let said = warnings(&outcome);
    assert!(
        said.iter().all(|text| text.contains(" is dynamic: ")),
        "{outcome}"
    );
    for target in ["s390x-linux", "mips-linux", "x86-windows", "arm-ios"] {
        let binary = format!("{target}={par}");
        let outcome = create(&environment, &["-b", &binary, "-o", "json"]);
        let warnings = warnings(&outcome);
        assert_eq!(warnings.len(), 1, "{outcome}");
        assert_eq!(outcome.stderr, format!("warning: {}\n", warnings[0]));
        assert!(warnings[0].contains(target), "{outcome}");
    }
    // The formats of these are not recognized.
    for target in ["sparc64-linux", "x86_64-solaris"] {
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
        "riscv64gc-unknown-linux-gnu=arm",
        "-b",
        "x86-linux=script",
        "-b",
        "x86_64-windows=notes.txt",
    ];
    create(&environment, &arguments);
    let outcome = create(&environment, &arguments);
    insta::assert_snapshot!(outcome.stderr, @"
    the binaries have several names: the key of the subject is arm_service.nk; to use another one, give --subject
    warning: hosts of x86_64-linux cannot run mac: it is a Mach-O file (macOS, iOS) for aarch64
    warning: hosts of riscv64-linux cannot run arm: it is an ELF file (Linux, FreeBSD, Android) for aarch64
    warning: script is a script: it starts only on hosts that have /bin/sh
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

#[test]
fn triples_and_platforms_name_targets_in_every_command() {
    let environment = Environment::new();
    environment.write("arm", headed("aarch64-linux", ""));
    environment.write("mac", headed("aarch64-macos", ""));
    create(
        &environment,
        &[
            "-b",
            "aarch64-unknown-linux-musl=arm",
            "-b",
            "darwin/arm64=mac",
        ],
    );
    let inspected = environment.par(["inspect", "out.par", "-o", "json"]);
    let targets = &inspected.success().json()["targets"];
    assert_eq!(targets, &json!(["aarch64-linux", "aarch64-macos"]));
    for target in ["linux/arm64", "aarch64-unknown-linux-gnu", "aarch64-linux"] {
        let extracted = environment.par(["extract", "out.par", "--target", target]);
        assert_eq!(extracted.success().line(), "out-aarch64-linux");
    }
    let arguments = ["-b", "arm", "--arch", "linux/arm64", "--deny-warnings"];
    create(&environment, &arguments);
    let seed = good_archive(&environment, "good.par");
    let platform = "linux/amd64";
    let remove = ["remove", "good.par", "--target", platform, "-i", &seed];
    let json = environment.par(remove).success().line().to_owned();
    assert_eq!(json, "good.par");
}

#[test]
fn a_target_that_no_host_looks_for_is_refused_unless_the_option_allows_it() {
    let environment = Environment::new();
    environment.write("provider", headed("x86_64-linux", ""));
    let seed = good_archive(&environment, "good.par");
    for (target, said) in [
        (
            "arm64-darwin",
            "hosts look for `aarch64-macos`, not for `arm64-darwin`",
        ),
        ("amd64-linux", "hosts look for `x86_64-linux`"),
        ("x86-64-linux", "no host looks for `x86-64-linux`"),
        ("x86_64-plan9", "no host looks for `x86_64-plan9`"),
    ] {
        let binary = format!("{target}=provider");
        let commands = [
            [&CREATE[..], &["-b", &binary]].concat(),
            vec!["insert", "good.par", "-b", &binary, "-i", &seed],
        ];
        for command in commands {
            let outcome = environment.par(&command).exit(2);
            assert!(outcome.stderr.contains(said), "{outcome}");
            assert!(
                outcome.stderr.contains("--allow-unknown-target"),
                "{outcome}"
            );
            let allowed = [&command[..], &["--allow-unknown-target"]].concat();
            let outcome = environment.par(&allowed).success();
            assert!(outcome.stderr.contains(said), "{outcome}");
            let denied = [&allowed[..], &["--deny-warnings"]].concat();
            environment.par(&denied).exit(2);
        }
    }
}
