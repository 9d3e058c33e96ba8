//! `--log-format json`: each line of standard error is an object.

use serde_json::Value;

use crate::support::schemas::check_log;
use crate::support::{Environment, Outcome, Registry};
use crate::transfer::pack;

/// Returns the records on standard error.
#[track_caller]
fn records(outcome: &Outcome) -> Vec<Value> {
    check_log(&outcome.stderr);
    let lines = outcome.stderr.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[track_caller]
fn with<'a>(records: &'a [Value], level: &str, message: &str) -> &'a Value {
    let found = records.iter().find(|record| {
        record["level"] == level && record["message"].as_str().unwrap_or("").contains(message)
    });
    found.unwrap_or_else(|| panic!("no {level} with {message:?} in {records:?}"))
}

#[test]
fn every_line_is_an_object_at_every_level() {
    let (environment, registry) = (Environment::new(), Registry::start());
    pack(&environment, "provider.par.gz", "/bin/true".as_ref());
    let reference = registry.reference("provider:1.0.0");
    let levels: [&[&str]; 5] = [
        &["--quiet"],
        &[],
        &["--verbose"],
        &["--verbose", "--verbose"],
        &["--verbose", "--verbose", "--verbose"],
    ];
    let mut most = 0;
    for level in levels {
        let command = [
            "push",
            &reference,
            "provider.par.gz",
            "--log-format",
            "json",
        ];
        let pushed = environment.par(command.iter().chain(level)).success();
        pushed.line();
        let count = records(&pushed).len();
        assert!(count >= most, "{pushed}");
        most = count;
    }
    assert!(most > 10, "{most}");
}

#[test]
fn warnings_notes_and_errors_of_the_command_are_objects() {
    let environment = Environment::new();
    environment.write("script", "no executable");
    let create = "create -n N -v V -b x86_64-linux=script --destination a.par --log-format json";
    let created = environment.par(create.split(' ')).success();
    let written = records(&created);
    assert_eq!(with(&written, "WARN", "script")["target"], "par");
    with(&written, "INFO", "generated the account key");

    let failed = environment.par(["verify", "missing.par", "--log-format", "json"]);
    let failed = failed.exit(3);
    let written = records(&failed);
    let [error] = written.as_slice() else {
        panic!("{failed}");
    };
    assert_eq!(error["level"], "ERROR");
    assert_eq!(error["kind"], "not_found");
    assert!(
        error["message"].as_str().unwrap().contains("missing.par"),
        "{failed}"
    );
    assert!(error.as_object().unwrap().contains_key("hint"), "{failed}");
    let since = humantime::parse_rfc3339(error["timestamp"].as_str().unwrap()).unwrap();
    assert!(since.elapsed().unwrap().as_secs() < 600);
}

#[test]
fn each_of_several_failures_is_an_error_with_its_kind() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let missing = registry.reference("missing:1.0.0");
    environment.write("list.txt", format!("nowhere\n{missing}\n"));
    let lock = ["lock", "list.txt", "--log-format", "json"];
    let failed = environment.par(lock).exit(2);
    let written = records(&failed);
    let expected = [
        ("usage", "list.txt, line 1"),
        ("not_found", "1.0.0"),
        ("usage", "not everything can be locked"),
    ];
    assert_eq!(written.len(), expected.len(), "{failed}");
    for (error, (kind, said)) in written.iter().zip(expected) {
        assert_eq!(error["level"], "ERROR", "{failed}");
        assert_eq!(error["kind"], kind, "{failed}");
        assert!(
            error["message"].as_str().unwrap().contains(said),
            "{failed}"
        );
        assert!(error.as_object().unwrap().contains_key("hint"), "{failed}");
    }
    let text = environment.par(&lock[..2]).exit(2).stderr;
    let lines = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(lines("error: "), expected.len(), "{text}");
    let with_hint = written.iter().filter(|error| error["hint"].is_string());
    assert_eq!(lines("hint: "), with_hint.count(), "{text}");
}

#[test]
fn warnings_of_the_library_have_their_fields() {
    let (environment, registry) = (Environment::new(), Registry::start());
    pack(&environment, "provider.par.gz", "/bin/true".as_ref());
    let reference = registry.reference("provider:1.0.0");
    environment
        .par(["push", &reference, "provider.par.gz"])
        .success();
    environment.par(["fetch", &reference]).success();
    drop(registry);
    let mut fetch = environment.command();
    fetch.env("PAR_PATIENCE", "1").env("PAR_LOG_FORMAT", "json");
    fetch.args(["fetch", &reference]);
    let fetched = Outcome::of(fetch, b"").success();
    let written = records(&fetched);
    let warning = with(&written, "WARN", "is unconfirmed since");
    assert!(
        warning["target"]
            .as_str()
            .unwrap()
            .starts_with("wasmcloud_par"),
        "{fetched}"
    );
    assert_eq!(warning["span"]["name"], "fetch", "{fetched}");
}

#[test]
fn wrong_arguments_are_an_object_also_when_the_variable_asks_for_it() {
    let environment = Environment::new();
    let lines = [
        "push --log-format json",
        "--log-format=json nothing",
        "trust --log-format json",
    ];
    for line in lines {
        let refused = environment.par(line.split(' ')).exit(2);
        let written = records(&refused);
        assert_eq!(written.len(), 1, "{refused}");
        assert_eq!(written[0]["kind"], "usage", "{refused}");
        assert_eq!(refused.stdout, "");
    }
    let mut command = environment.command();
    command.arg("push").env("PAR_LOG_FORMAT", "json");
    let refused = Outcome::of(command, b"").exit(2);
    assert_eq!(records(&refused).len(), 1, "{refused}");
    let mut command = environment.command();
    command.args(["push", "--log-format", "text"]);
    command.env("PAR_LOG_FORMAT", "json");
    let refused = Outcome::of(command, b"").exit(2);
    assert!(refused.stderr.starts_with("error: "), "{refused}");
}

#[test]
fn violations_of_a_schema_are_in_the_object_of_the_error() {
    let environment = Environment::new();
    environment.write("schema.json", r#"{"required": ["url"]}"#);
    environment.write("provider", "an executable");
    environment.write("config.json", "{}");
    let create = "create -n N -v V -b provider -j schema.json -q";
    environment.par(create.split(' ')).success();
    let check = "inspect provider.par --check-config config.json --log-format json";
    let refused = environment.par(check.split(' ')).exit(5);
    let written = records(&refused);
    let violation = &written[0]["violations"][0];
    assert_eq!(violation["pointer"], "", "{refused}");
    assert!(
        violation["reason"].as_str().unwrap().contains("url"),
        "{refused}"
    );
}

#[test]
fn no_line_has_characters_that_a_terminal_executes() {
    let environment = Environment::new();
    let name = "evil\u{1b}[2J\u{202e}.par";
    for options in [&["--log-format", "json"][..], &["-o", "json"]] {
        let failed = environment
            .par(["verify", name].iter().chain(options))
            .exit(3);
        let all = format!("{}{}", failed.stdout, failed.stderr);
        assert!(all.contains("evil"), "{all:?}");
        assert!(!all.contains(['\u{1b}', '\u{202e}']), "{all:?}");
    }
}
