//! The shell scripts of the GitHub action in `action.yml`, with the variables that a runner gives them. Its first step, which
//! downloads a release, is left out.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{RUST, command, write_crate};
use crate::support::{Environment, Outcome, Registry};

const ACTION: &str = include_str!("../../../action.yml");

/// Returns the script of a step.
fn script(step: &str) -> String {
    let (_, rest) = ACTION.split_once(&format!("- name: {step}\n")).unwrap();
    let (_, run) = rest.split_once("      run: ").unwrap();
    match run.strip_prefix("|\n") {
        Some(block) => {
            let lines = block.lines();
            let lines = lines.take_while(|line| line.is_empty() || line.starts_with("        "));
            lines.map(|line| format!("{line}\n")).collect()
        }
        None => run.lines().next().unwrap().to_owned(),
    }
}

/// Runs the script of a step as GitHub's runners do, and returns its result and its outputs.
fn run(environment: &Environment, step: &str, variables: &[(&str, &str)]) -> (Outcome, String) {
    let outputs = environment.write("outputs", "");
    let program = Path::new(env!("CARGO_BIN_EXE_par"));
    let mut path = program.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
        .arg(script(step))
        .env_clear();
    for (name, value) in command(environment).get_envs() {
        if let Some(value) = value {
            bash.env(name, value);
        }
    }
    bash.current_dir(environment.path(""))
        .env("PATH", path)
        .env("CI", "true")
        .env("GITHUB_OUTPUT", &outputs)
        .envs(variables.iter().copied());
    let outcome = Outcome::of(bash, b"");
    (outcome, fs::read_to_string(outputs).unwrap())
}

#[test]
fn the_action_logs_in_builds_and_pushes_and_shows_what_failed() {
    let environment = Environment::new();
    let registry = Registry::builder()
        .htpasswd("tester", "another-password")
        .start();
    write_crate(&environment, "provider", "small", "fn main() {}");
    environment.write("provider/wasmcloud.toml", RUST);

    let address = registry.address().to_string();
    let login = [
        ("REGISTRY", address.as_str()),
        ("USERNAME", "tester"),
        ("PASSWORD", "another-password"),
    ];
    run(&environment, "Log in", &login).0.success();

    let pack = |issuer: &str, options: &str, create: &str| {
        let variables = [
            ("PROJECT", "provider"),
            ("BUILD", options),
            ("CREATE", create),
            ("ARCHIVE", ""),
            ("WASH_ISSUER_KEY", issuer),
            ("WASH_SUBJECT_KEY", ""),
        ];
        run(&environment, "Build and pack", &variables)
    };
    // Without a key, the error names what is missing.
    let (without_key, outputs) = pack("", "", "");
    assert!(
        without_key.stderr.contains("\"kind\":\"not_found\""),
        "{without_key}"
    );
    without_key.exit(1);
    assert_eq!(outputs, "");

    // The lines after `--` are for the compiler.
    let options = "--keygen\n--revision=7\n--version=2.0.0 beta\n--\n--offline\n";
    let (built, outputs) = pack("", options, "");
    built.success();
    let archive = "provider/build/small.par.gz";
    assert_eq!(outputs, format!("archive={archive}\n"));
    let inspected = environment.par(["inspect", archive, "-o", "json"]);
    let inspected = inspected.success().json();
    assert_eq!(inspected["revision"], "7");
    assert_eq!(inspected["version"], "2.0.0 beta");

    let create = "--name=Small\n--vendor=Example\n--binary=provider/target/release/small\n--\n";
    let (created, outputs) = pack("", "", create);
    created.success();
    assert_eq!(outputs, "archive=provider.par.gz\n");
    environment.par(["verify", "provider.par.gz"]).success();

    let push = |name: &str, archive: &str| {
        let reference = registry.reference(name);
        let variables = [
            ("REFERENCE", reference.as_str()),
            ("ARCHIVE", archive),
            ("SIGSTORE", ""),
        ];
        run(&environment, "Push", &variables)
    };
    let (pushed, outputs) = push("org/small:2", archive);
    pushed.success();
    let mut lines = outputs.lines();
    let reference = lines
        .next()
        .and_then(|line| line.strip_prefix("reference="));
    environment.par(["verify", reference.unwrap()]).success();
    let digest = lines.next().and_then(|line| line.strip_prefix("digest="));
    assert!(reference.unwrap().ends_with(digest.unwrap()));

    let (absent, outputs) = push("org/small:3", "absent.par.gz");
    assert!(absent.stderr.contains("absent.par.gz"), "{absent}");
    absent.exit(1);
    assert_eq!(outputs, "");
}

#[test]
fn the_output_archive_of_the_action_is_the_archive_that_it_pushes() {
    let (_, outputs) = ACTION.split_once("\noutputs:\n").unwrap();
    let (outputs, steps) = outputs.split_once("\nruns:\n").unwrap();
    let line = |text: &str, name: &str| {
        let start = format!("{name}: ");
        let mut lines = text.lines().map(str::trim);
        let value = lines.find_map(|line| line.strip_prefix(&start));
        value.unwrap().to_owned()
    };
    let (_, push) = steps.split_once("- name: Push\n").unwrap();
    assert_eq!(line(outputs, "value"), line(push, "ARCHIVE"));
}
