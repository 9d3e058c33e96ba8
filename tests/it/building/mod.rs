//! `par build` and `par init`: real crates and modules, compiled by the real compilers.

#[cfg(unix)]
mod action;
mod as_wash;
mod auditing;
mod go;
mod projects;
mod pushing;
mod rust;
#[cfg(unix)]
mod stopping;
#[cfg(target_os = "linux")]
mod targets;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Environment, Outcome};

/// A project file with the required keys only.
const RUST: &str = "type = \"provider\"\nlanguage = \"rust\"\n";

/// Returns the command `par` in an environment that has the compilers of the machine, without a network.
fn command(environment: &Environment) -> Command {
    let home = std::env::var("HOME").unwrap_or_default();
    let rustup = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let rustup = rustup.unwrap_or_else(|| Path::new(&home).join(".rustup"));
    // The standard library of Go is compiled once for all tests.
    let go = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-build");
    let mut command = environment.command();
    command
        .env("RUSTUP_HOME", rustup)
        .env("CARGO_NET_OFFLINE", "true")
        .env("GOCACHE", go)
        .env("GOTOOLCHAIN", "local")
        .env("GOPROXY", "off");
    command
}

/// Runs `par` with these arguments.
#[track_caller]
fn par(environment: &Environment, arguments: &[&str]) -> Outcome {
    let mut command = command(environment);
    command.args(arguments);
    Outcome::of(command, b"")
}

/// Writes a crate without dependencies into `directory`.
fn write_crate(environment: &Environment, directory: &str, name: &str, main: &str) {
    let manifest =
        format!("[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2021\"\n");
    // `join` is used because `{directory}/…` with an empty directory would be an absolute path.
    let within = |file: &str| Path::new(directory).join(file).display().to_string();
    environment.write(&within("Cargo.toml"), manifest);
    environment.write(&within("src/main.rs"), main);
}

/// Runs the executable of the machine's own target in an archive, and returns what it prints.
#[track_caller]
fn run_packed(environment: &Environment, archive: &str) -> String {
    let extract = ["extract", archive, "--destination", "extracted"];
    par(environment, &extract).success();
    let output = Command::new(environment.path("extracted"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
