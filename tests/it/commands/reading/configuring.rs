//! `par inspect --check-config`

use std::fs::File;
use std::process::Stdio;

use serde_json::{Value, json};

use super::super::{good_archive, normalized};
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome};

const CHECK: [&str; 4] = ["inspect", "good.par", "--check-config", "config.json"];

/// Packs an archive `good.par` with this schema.
fn with_schema(schema: Value) -> Environment {
    let environment = Environment::new();
    let archive = ArchiveBuilder::two_targets().wascap(|wascap| {
        wascap.insert("config_schema".to_owned(), schema);
    });
    environment.write("good.par", archive.build());
    environment
}

fn check(environment: &Environment, configuration: impl AsRef<[u8]>) -> Outcome {
    environment.write("config.json", configuration);
    environment.par(CHECK)
}

fn server() -> Environment {
    with_schema(json!({
        "type": "object",
        "required": ["url"],
        "properties": {
            "url": { "type": "string", "pattern": "^https://" },
            "port": { "type": "integer", "maximum": 65535 },
        },
        "additionalProperties": false,
    }))
}

#[test]
fn a_configuration_that_matches_is_accepted() {
    let environment = server();
    let good = r#"{"url":"https://example.com","port":80}"#;
    let outcome = check(&environment, good).success();
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.line(), "config.json matches the schema in good.par");
    let object = environment
        .par([&CHECK[..], &["-o", "json"]].concat())
        .success()
        .json();
    assert_eq!(object["violations"], json!([]));
    assert_eq!(object["vendor"], "Test Vendor");
    let mut command = environment.command();
    command.args(["inspect", "good.par", "--check-config", "-"]);
    let piped = Outcome::of(command, good.as_bytes()).success();
    assert_eq!(piped.line(), "- matches the schema in good.par");
}

#[test]
fn every_violation_is_printed_with_its_place_and_without_secrets() {
    let environment = server();
    let bad = r#"{"url":"ftp://user:secret@example.com","port":"eighty","tls/x":true}"#;
    let outcome = check(&environment, bad).exit(5);
    assert_eq!(outcome.stdout, "");
    assert!(!outcome.stderr.contains("secret"), "{outcome}");
    insta::assert_snapshot!(normalized(&outcome.stderr, &environment), @r#"
    error: the configuration config.json does not match the schema in good.par
      /port: value is not of type "integer"
      /url: value does not match "^https://"
      at the top: Additional properties are not allowed ('tls/x' was unexpected)
    "#);
    let object = environment
        .par([&CHECK[..], &["-o", "json"]].concat())
        .exit(5)
        .json();
    assert_eq!(object["success"], false);
    assert_eq!(object["error"]["kind"], "not_verified");
    let violations = object["violations"].as_array().unwrap();
    let mut pointers: Vec<_> = violations.iter().map(|one| &one["pointer"]).collect();
    pointers.sort_by_key(|pointer| pointer.to_string());
    assert_eq!(pointers, ["", "/port", "/url"]);
    assert!(violations.iter().all(|one| one["reason"].is_string()));
}

#[test]
fn only_the_first_of_many_violations_are_printed() {
    let environment = with_schema(json!({ "items": { "type": "string" } }));
    let outcome = check(&environment, Value::from(vec![0; 2000]).to_string()).exit(5);
    assert!(
        outcome.stderr.contains("the first 100 of 2000 violations"),
        "{outcome}"
    );
    assert_eq!(outcome.stderr.lines().count(), 101);
}

#[test]
fn checking_a_configuration_needs_an_archive_with_a_schema() {
    let environment = Environment::new();
    good_archive(&environment, "good.par");
    let outcome = check(&environment, "{}").exit(3);
    insta::assert_snapshot!(outcome.stderr, @"
    error: good.par has no schema of a configuration
    hint: add a schema with `par create --schema`
    ");
}

#[test]
fn configurations_that_cannot_be_read_are_refused() {
    let environment = server();
    environment.par(CHECK).exit(3);
    assert!(
        check(&environment, "{")
            .exit(2)
            .stderr
            .contains("config.json is not JSON")
    );
    let large = check(&environment, vec![b' '; (1 << 20) + 1]).exit(2);
    assert!(
        large.stderr.contains("larger than 1048576 bytes"),
        "{large}"
    );
    environment.par([&CHECK[..], &["--wit"]].concat()).exit(2);
    // This check would not end in any sensible time, and the command does not wait for it.
    let mut command = environment.command();
    command.args(["inspect", "good.par", "--check-config", "-"]);
    command.stdin(Stdio::from(File::open("/dev/zero").unwrap()));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn invalid_schemas_and_schemas_with_external_references_are_not_used() {
    for (schema, part) in [
        (
            json!({ "properties": { "a": { "type": 5 } } }),
            "/properties/a/type",
        ),
        (json!({ "$ref": "http://127.0.0.1:9/x.json" }), "127.0.0.1"),
        (json!("text"), "at the top"),
    ] {
        let environment = with_schema(schema);
        let outcome = check(&environment, "{}").exit(5);
        assert!(
            outcome
                .stderr
                .starts_with("error: cannot use the schema in good.par: "),
            "{outcome}"
        );
        assert!(outcome.stderr.contains(part), "{outcome}");
    }
}

/// Returns a schema of definitions that each refer to the next.
fn chain(length: usize, link: impl Fn(Value) -> Value) -> Value {
    let next = |number: usize| json!({ "$ref": format!("#/$defs/{number}") });
    let mut definitions: serde_json::Map<String, Value> = (0..length)
        .map(|number| (number.to_string(), link(next(number + 1))))
        .collect();
    definitions.insert(length.to_string(), json!({ "type": "string" }));
    json!({ "$ref": "#/$defs/0", "$defs": definitions })
}

#[test]
fn a_schema_cannot_overflow_the_stack_or_run_for_long() {
    let deep = with_schema(chain(3000, |next| json!({ "allOf": [next, {}] })));
    check(&deep, "\"text\"").success();
    check(&deep, "{}").exit(5);
    let regex = with_schema(json!({ "pattern": "^(?=a)(a+)+\\1$" }));
    check(&regex, format!("{:?}", "a".repeat(60) + "b")).exit(5);
    let own = with_schema(json!({ "allOf": [{ "$ref": "#" }, { "not": { "$ref": "#" } }] }));
    check(&own, "{}").exit(5);
    let wide = with_schema(chain(60, |next| json!({ "anyOf": [next.clone(), next] })));
    let started = std::time::Instant::now();
    let outcome = check(&wide, "0").exit(5);
    assert!(outcome.stderr.contains("takes longer than"), "{outcome}");
    assert!(started.elapsed().as_secs() < 30);
}
