//! The schemas of `docs/json/`, which every JSON answer in the tests has to match.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use super::Invocation;

pub(crate) use super::invocation::commands;

/// The name of the schema of failures without an answer.
pub(crate) const FAILURE: &str = "failure";

/// Returns the directory with the schemas.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/json")
}

/// Returns the name of the file with the schema of a command, without `.json`.
pub(crate) fn name_for(command: &str) -> String {
    command.replace(' ', "-")
}

/// Asserts that the standard output of `par` is one JSON object that matches its schema, and agrees with the exit
/// code.
#[track_caller]
pub(crate) fn check(invocation: &Invocation, line: &str, code: i32, stdout: &str) {
    let object: Value = serde_json::from_str(stdout)
        .unwrap_or_else(|error| panic!("stdout is not one JSON object: {error}\n{line}\n{stdout}"));
    assert!(stdout.ends_with('\n'), "the line is not ended\n{line}");
    check_code(line, code, &object);
    let failed = object["success"] == false;
    let is_bare = failed && violations(FAILURE, &object).is_empty();
    if is_bare {
        return;
    }
    let Some(command) = invocation.name() else {
        panic!("{}", report(line, FAILURE, &violations(FAILURE, &object)));
    };
    let name = name_for(&command);
    let violations = violations(&name, &object);
    assert!(
        violations.is_empty(),
        "{}",
        report(line, &name, &violations)
    );
}

/// Asserts that every line of `text` matches the schema of the log.
#[track_caller]
pub(crate) fn check_log(text: &str) {
    for line in text.lines() {
        let record: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("not JSON: {error}\n{line}\n--- in:\n{text}"));
        let violations = violations("log", &record);
        assert!(
            violations.is_empty(),
            "{}",
            report(line, "log", &violations)
        );
    }
}

#[track_caller]
fn check_code(line: &str, code: i32, object: &Value) {
    let expected = match object["error"]["kind"].as_str() {
        // `par diff --exit-code` succeeds with 1.
        None => {
            assert!(
                code == 0 || code == 1,
                "exit code {code} of a success\n{line}"
            );
            return;
        }
        Some("usage") => 2,
        Some("not_found") => 3,
        Some("denied") => 4,
        Some("not_verified") => 5,
        Some("unavailable") => 6,
        Some("conflict") => 7,
        Some("interrupted") => 130,
        Some(_) => 1,
    };
    assert_eq!(
        code, expected,
        "the exit code is not that of {}\n{line}",
        object["error"]
    );
}

/// Returns what is wrong with an object, one violation a line.
pub(crate) fn violations(name: &str, object: &Value) -> Vec<String> {
    let errors = validator(name);
    let errors = errors.iter_errors(object);
    errors
        .map(|error| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { "/" } else { &place };
            format!("at {place}: {error}")
        })
        .collect()
}

fn report(line: &str, name: &str, violations: &[String]) -> String {
    let mut report = format!("the JSON answer does not match docs/json/{name}.json\n");
    for violation in violations {
        let _ = writeln!(report, "  {violation}");
    }
    let _ = write!(
        report,
        "a key that is new or has changed needs its type and its description in that file\nof: {line}"
    );
    report
}

/// Returns the validator of a schema, which is compiled once.
#[track_caller]
fn validator(name: &str) -> Arc<Validator> {
    static COMPILED: OnceLock<Mutex<BTreeMap<String, Arc<Validator>>>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(Mutex::default);
    if let Some(known) = compiled.lock().unwrap().get(name) {
        return Arc::clone(known);
    }
    // The schema is compiled without holding the lock, because a failure would poison it for the other tests.
    let validator = Arc::new(compile(name));
    let mut compiled = compiled.lock().unwrap();
    Arc::clone(compiled.entry(name.to_owned()).or_insert(validator))
}

#[track_caller]
fn compile(name: &str) -> Validator {
    let schema = read(&format!("{name}.json")).unwrap_or_else(|error| {
        panic!("no schema for this command: docs/json/{name}.json is needed, and an entry in README.md there: {error}")
    });
    jsonschema::options()
        .with_base_uri(format!("docs:///{name}.json"))
        .with_retriever(Directory)
        .should_validate_formats(true)
        .build(&schema)
        .unwrap_or_else(|error| panic!("docs/json/{name}.json is no schema: {error}"))
}

/// Reads the schemas that a schema refers to.
struct Directory;

impl Retrieve for Directory {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        read(uri.path().as_str().trim_start_matches('/'))
    }
}

/// Reads a file of the directory as JSON.
pub(crate) fn read(file: &str) -> Result<Value, Box<dyn Error + Send + Sync>> {
    Ok(serde_json::from_slice(&fs::read(directory().join(file))?)?)
}
