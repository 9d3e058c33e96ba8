//! `par doctor --host`

use super::{compile, pack, without_linker};
use crate::support::{Environment, Registry};

#[track_caller]
fn finding(environment: &Environment, line: &[&str], code: i32, check: &str) -> (String, String) {
    let line = ["doctor", "--host", "-o", "json"].iter().chain(line);
    let outcome = environment.par(line).exit(code);
    let json = outcome.json();
    let findings = json["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == check);
    let found = found.unwrap_or_else(|| panic!("no {check}\n{outcome}"));
    let text = format!("{} {}", found["said"], found["advice"]);
    (found["verdict"].as_str().unwrap().to_owned(), text)
}

#[test]
fn a_machine_is_checked_without_a_registry() {
    let environment = Environment::new();
    let outcome = environment
        .par(["doctor", "--host", "-o", "json"])
        .success();
    let json = outcome.json();
    assert!(json["registry"].is_null(), "{outcome}");
    let checks = json["findings"].as_array().unwrap().iter();
    let checks: Vec<_> = checks
        .map(|finding| finding["check"].as_str().unwrap())
        .collect();
    let expected = [
        "architecture",
        "c-library",
        "cache",
        "noexec",
        "open-files",
        "clock",
    ];
    assert_eq!(checks, expected);
    let (verdict, said) = finding(&environment, &[], 0, "c-library");
    assert_eq!(verdict, "good");
    // `ldd` prints the release of the C library of this machine.
    let mut command = std::process::Command::new("ldd");
    command.arg("--version");
    let ldd = super::run(command, "ldd is a part of the GNU C library");
    let release = ldd.lines().next().unwrap().split(' ').next_back().unwrap();
    assert!(said.contains(&format!("GLIBC {release} ")), "{said}\n{ldd}");
    assert_eq!(finding(&environment, &[], 0, "clock").0, "skipped");
    environment.par(["doctor"]).exit(2);
    environment.par(["doctor", "--host", "--push"]).exit(2);
}

#[test]
fn a_low_limit_on_open_files_is_reported() {
    let environment = Environment::new();
    let mut command = environment.command_for("/bin/sh".as_ref());
    let par = env!("CARGO_BIN_EXE_par");
    command.args(["-c", &format!("ulimit -n 256; exec {par} doctor --host")]);
    let outcome = super::run(command, "");
    assert!(
        outcome.contains("note    open-files      a process can open only 256 files"),
        "{outcome}"
    );
}

#[test]
fn the_executable_of_a_provider_is_compared_with_this_machine() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let good = registry.reference("good:1.0.0");
    let (archive, _) = pack(&environment, &compile(&environment, "cc", &[], "good"));
    environment.par(["push", &good, &archive]).success();
    let (verdict, said) = finding(&environment, &[&good], 0, "executable");
    assert_eq!(verdict, "good");
    assert!(said.contains("dynamic: needs /"), "{said}");
    assert_eq!(finding(&environment, &[&good], 0, "clock").0, "good");
    assert_eq!(
        finding(&environment, &[&good], 0, "authentication").0,
        "good"
    );
    let repository = registry.reference("good");
    let (verdict, said) = finding(&environment, &[&repository], 0, "executable");
    assert_eq!(verdict, "skipped");
    assert!(said.contains("name a tag"), "{said}");
    assert!(!said.contains("--push"), "{said}");

    let bad = registry.reference("bad:1.0.0");
    let (archive, _) = pack(&environment, &without_linker(&environment, "bad"));
    environment.par(["push", &bad, &archive]).success();
    let (verdict, said) = finding(&environment, &[&bad], 1, "executable");
    assert_eq!(verdict, "failed");
    assert!(
        said.contains("it needs /nonexistent/ld.so") && said.contains("musl"),
        "{said}"
    );
    // Nothing was pinned.
    let pins = environment.par(["trust", "list", "-o", "json"]).success();
    assert_eq!(
        pins.json()["identities"].as_array().unwrap().len(),
        0,
        "{pins}"
    );
}
