//! Reproducible archives: equal inputs, keys and times give identical bytes.

use std::fs;

use crate::support::Environment;

fn create(environment: &Environment, destination: &str, arguments: &[&str]) -> Vec<u8> {
    let mut words = vec!["create", "-n", "Echo", "-v", "Acme", "--compress"];
    words.extend(["-b", "aarch64-linux=echo-arm", "-b", "x86_64-linux=echo"]);
    words.extend(["--destination", destination]);
    words.extend(arguments);
    environment.par(words).success();
    fs::read(environment.path(destination)).unwrap()
}

fn with_executables() -> Environment {
    let environment = Environment::new();
    // More than one block of the compressor, and not a multiple of its size.
    let content: Vec<u8> = (0..3_000_000_u32).map(|i| (i / 7 % 251) as u8).collect();
    environment.write("echo", &content);
    environment.write("echo-arm", &content[1_000_001..]);
    environment
}

#[test]
fn archives_with_one_time_of_signing_are_identical() {
    let environment = with_executables();
    let at = ["--created", "1700000000"];
    let first = create(&environment, "first.par.gz", &at);
    let second = create(&environment, "second.par.gz", &at);
    assert!(first == second);
    let other = create(&environment, "other.par.gz", &["--created", "1700000001"]);
    assert!(first != other);
    assert!(first != create(&environment, "now.par.gz", &[]));
}

#[test]
fn the_environment_can_set_the_time_of_signing() {
    let environment = with_executables();
    let expected = create(&environment, "option.par.gz", &["--created", "1700000000"]);
    let mut command = environment.command();
    command.env("SOURCE_DATE_EPOCH", "1700000000");
    command.args(["create", "-n", "Echo", "-v", "Acme", "--compress"]);
    command.args(["-b", "aarch64-linux=echo-arm", "-b", "x86_64-linux=echo"]);
    command.args(["--destination", "variable.par.gz"]);
    assert!(command.output().unwrap().status.success());
    let found = fs::read(environment.path("variable.par.gz")).unwrap();
    assert!(found == expected);
}

#[test]
fn inserting_is_reproducible() {
    let environment = with_executables();
    let mut archives = Vec::new();
    for name in ["a.par.gz", "b.par.gz"] {
        create(&environment, name, &["--created", "1700000000"]);
        let insert = ["insert", name, "-b", "riscv64gc-linux=echo"];
        let at = ["--created", "1700000002"];
        environment.par([&insert[..], &at].concat()).success();
        archives.push(fs::read(environment.path(name)).unwrap());
    }
    assert!(archives[0] == archives[1]);
}

#[test]
fn an_invalid_time_of_signing_is_a_usage_error() {
    let environment = with_executables();
    let words = [
        "create",
        "-n",
        "Echo",
        "-v",
        "Acme",
        "-b",
        "x86_64-linux=echo",
    ];
    let outcome = environment.par([&words[..], &["--created", "yesterday"]].concat());
    let outcome = outcome.exit(2);
    assert!(outcome.stderr.contains("`yesterday`"), "{outcome}");
    assert!(outcome.stderr.contains("seconds since 1970"), "{outcome}");
}
