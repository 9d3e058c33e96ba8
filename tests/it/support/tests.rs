//! Tests of the harness itself.

use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use super::patience::while_watched;
use super::{Environment, Outcome, shared_registry, unique};

#[test]
fn there_is_one_shared_registry_and_it_answers() {
    let address = shared_registry();
    assert_eq!(address, shared_registry());
    TcpStream::connect(address).unwrap();
}

#[test]
fn unique_names_differ() {
    assert_ne!(unique("provider"), unique("provider"));
}

#[test]
#[should_panic(expected = "not done within 100ms")]
fn a_process_that_hangs_is_killed_and_fails_its_test() {
    let mut sleep = Command::new("sleep");
    let mut child = sleep.arg("600").spawn().unwrap();
    while_watched(child.id(), Duration::from_millis(100), || child.wait()).unwrap();
}

/// Runs a shell script with the variables and the current directory of the command.
fn shell(environment: &Environment, script: &str, input: &[u8]) -> Outcome {
    let par = environment.command();
    let mut command = Command::new("/bin/sh");
    command
        .env_clear()
        .args(["-c", script])
        .current_dir(par.get_current_dir().unwrap());
    command.envs(
        par.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    Outcome::of(command, input)
}

#[test]
fn the_command_runs_and_sees_only_its_own_variables() {
    let environment = Environment::new();
    environment.par([""; 0]);

    let outcome = shell(&environment, "env | cut -d= -f1 | sort", b"").success();

    // PWD, SHLVL and _ are the shell's own.
    let names = outcome
        .stdout
        .lines()
        .filter(|name| !["PWD", "SHLVL", "_"].contains(name));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "HOME",
            "NO_COLOR",
            "PAR_PATIENCE",
            "PATH",
            "TMPDIR",
            "USER",
            "XDG_CACHE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME"
        ]
    );
}

#[test]
fn all_files_of_an_environment_are_listed() {
    let environment = Environment::new();
    assert_eq!(environment.files(), [""; 0]);

    let path = environment.write("in/put", "x");
    assert_eq!(path, environment.path("in/put"));
    shell(
        &environment,
        "touch out; mkdir -p $XDG_DATA_HOME; ln -s nowhere $TMPDIR/link",
        b"",
    )
    .success();
    fs::write(environment.home().join("file"), "").unwrap();

    assert_eq!(
        environment.files(),
        ["home/file", "tmp/link", "work/in/put", "work/out"]
    );
}

#[test]
fn an_outcome_has_the_output_and_the_exit_code_of_the_command() {
    let environment = Environment::new();

    let outcome = shell(&environment, "cat; echo trouble >&2; exit 3", b"[1]\n").exit(3);

    assert_eq!(outcome.json(), serde_json::json!([1]));
    assert_eq!(outcome.line(), "[1]");
    assert_eq!(outcome.stderr, "trouble\n");
}

#[test]
fn much_input_and_output_do_not_block_each_other() {
    let input = vec![b'x'; 1 << 20];
    assert_eq!(
        shell(&Environment::new(), "cat", &input)
            .success()
            .stdout
            .len(),
        input.len()
    );
}

#[test]
#[should_panic(expected = "--- stderr:\ntrouble")]
fn an_unexpected_outcome_is_printed_in_full() {
    shell(&Environment::new(), "echo trouble >&2; exit 1", b"").success();
}
