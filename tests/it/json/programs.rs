//! The `jq` programs of `docs/json/README.md`, run over real answers.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::answers::{answers, other_forms};
use crate::support::schemas::{self, commands};
use crate::support::{Environment, Invocation, Outcome};

/// A line of the page: `$ par COMMAND … | jq …`.
struct Line {
    text: String,
    /// The name of the command.
    command: String,
    /// The words after `par`, without `-o json`.
    par: String,
    /// The part that runs `jq`.
    jq: String,
}

fn page() -> String {
    fs::read_to_string(schemas::directory().join("README.md")).unwrap()
}

fn lines(page: &str) -> Vec<Line> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("$ par "));
    lines
        .map(|text| {
            let (par, jq) = text
                .split_once(" | jq ")
                .unwrap_or_else(|| panic!("no jq: {text}"));
            let words = par.split_whitespace().map(OsString::from);
            let command = Invocation::new(words).name();
            Line {
                text: text.to_owned(),
                par: par.trim_end_matches(" -o json").to_owned(),
                command: command.unwrap_or_else(|| panic!("no command: {text}")),
                jq: format!("jq {jq}"),
            }
        })
        .collect()
}

/// Runs a line of `jq` over `input`, and returns what it prints.
#[track_caller]
fn run(line: &Line, input: &str) -> String {
    let environment = Environment::new();
    let mut shell = environment.command_for(Path::new("/bin/sh"));
    shell.args(["-euc", &line.jq]);
    let outcome = Outcome::of(shell, input.as_bytes());
    assert_eq!(outcome.code, 0, "{}\n{outcome}", line.text);
    outcome.stdout
}

#[test]
fn jq_is_installed() {
    let found = Command::new("jq").arg("--version").output();
    let found = found.is_ok_and(|output| output.status.success());
    assert!(
        found,
        "these tests need the program jq: install it, or run scripts/test"
    );
}

#[test]
fn the_program_for_each_command_reads_its_answer() {
    let (mut seen, mut seen_forms) = (BTreeSet::new(), BTreeSet::new());
    for line in lines(&page()) {
        if line.text.contains(":9.9.9") {
            continue;
        }
        let other = other_forms().get(&*line.par);
        let answer = other.unwrap_or_else(|| &answers()[&line.command]);
        let printed = run(&line, &answer.to_string());
        assert!(
            !printed.trim().is_empty(),
            "{} prints nothing for\n{answer}",
            line.text
        );
        assert!(
            !printed.contains("null"),
            "{}: {printed}\n{answer}",
            line.text
        );
        seen_forms.extend(other.map(|_| line.par));
        seen.insert(line.command);
    }
    let forms: BTreeSet<String> = other_forms().keys().map(ToString::to_string).collect();
    assert_eq!(seen_forms, forms, "docs/json/README.md lacks a form");
    let missing: Vec<String> = commands()
        .into_iter()
        .filter(|c| !seen.contains(c))
        .collect();
    assert_eq!(
        missing, [""; 0],
        "docs/json/README.md has no jq program for these commands"
    );
}

#[test]
fn the_page_lists_the_schema_of_every_command() {
    let page = page();
    for command in commands() {
        let name = schemas::name_for(&command);
        let row = format!("| `par {command}` | [{name}.json]({name}.json) |");
        assert!(
            page.contains(&row),
            "docs/json/README.md lacks the line {row}"
        );
    }
}

#[test]
fn the_exit_codes_of_the_page_are_those_of_failures() {
    let page = page();
    let rows = page.lines().filter_map(|line| {
        let (kind, code) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((
            kind.to_owned(),
            code.strip_suffix(" |")?.parse::<i32>().ok()?,
        ))
    });
    let codes: BTreeMap<String, i32> = rows.collect();
    let common = schemas::read("common.json").unwrap();
    let kinds = &common["$defs"]["error"]["properties"]["kind"]["enum"];
    let kinds: BTreeSet<&str> = kinds
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        codes.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        kinds
    );

    let environment = Environment::new();
    for line in [
        "verify missing.par",
        "resolve x",
        "fetch oci-layout://none:1",
    ] {
        let failed = environment.par(line.split(' ').chain(["-o", "json"]));
        let kind = failed.json()["error"]["kind"].as_str().unwrap().to_owned();
        assert_eq!(failed.code, codes[&kind], "{failed}");
    }
}

#[test]
fn the_programs_for_failures_and_for_the_log_read_them() {
    let environment = Environment::new();
    environment.write("layout/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    let fetch = ["fetch", "oci-layout://layout:9.9.9"];
    let page = lines(&page());
    let found: Vec<&Line> = page
        .iter()
        .filter(|line| line.text.contains(":9.9.9"))
        .collect();
    let [failure, log] = found.as_slice() else {
        panic!("{} lines are about a failure", found.len());
    };
    let failed = environment.par(fetch.iter().chain(&["-o", "json"])).exit(3);
    let printed = run(failure, &failed.stdout);
    assert!(printed.starts_with("not_found: "), "{printed}");
    let options = ["--verbose", "--log-format", "json"];
    let failed = environment.par(fetch.iter().chain(&options)).exit(3);
    let printed = run(log, &failed.stderr);
    assert!(printed.starts_with("20"), "{printed}");
}
