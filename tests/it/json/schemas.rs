//! The schemas themselves, and that no command is without one.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::answers::answers;
use crate::support::schemas::{self, FAILURE, commands};
use crate::support::{Environment, Outcome};

/// The files in `docs/json/` that are not the schema of a command.
const OTHERS: [&str; 3] = ["common", FAILURE, "log"];

/// Returns the names of the files in `docs/json/`, without `.json`.
fn files() -> BTreeSet<String> {
    let files = fs::read_dir(schemas::directory()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
        .collect()
}

#[test]
fn every_command_has_a_schema_and_an_answer_that_matches_it() {
    let commands: BTreeSet<String> = commands().into_iter().collect();
    let expected = commands.iter().map(|command| schemas::name_for(command));
    let expected: BTreeSet<String> = expected.chain(OTHERS.map(str::to_owned)).collect();
    assert_eq!(
        files(),
        expected,
        "the files in docs/json/ are not those of the commands"
    );

    let run: BTreeSet<String> = answers().keys().cloned().collect();
    assert_eq!(
        run, commands,
        "tests/it/json/answers.rs does not run every command"
    );
    for (command, answer) in answers() {
        let violations = schemas::violations(&schemas::name_for(command), answer);
        assert_eq!(violations, [""; 0], "par {command}");
    }
}

#[test]
fn every_schema_is_valid_and_describes_each_key() {
    for name in files() {
        let schema = schemas::read(&format!("{name}.json")).unwrap();
        let draft = "https://json-schema.org/draft/2020-12/schema";
        assert_eq!(schema["$schema"], draft, "{name}");
        if let Err(error) = jsonschema::meta::validate(&schema) {
            panic!("docs/json/{name}.json: {error}");
        }
        describes_each_key(&name, "", &schema);
    }
}

/// Asserts that each property has a description, or refers to a part that has one, and that each object lists its
/// keys.
fn describes_each_key(name: &str, place: &str, schema: &Value) {
    let Some(object) = schema.as_object() else {
        let items = schema.as_array().into_iter().flatten();
        return items.for_each(|item| describes_each_key(name, place, item));
    };
    let properties = object.get("properties").and_then(Value::as_object);
    let is_condition = place.ends_with("/if");
    for (key, property) in properties.into_iter().flatten().filter(|_| !is_condition) {
        let is_described = property["description"].is_string() || property["$ref"].is_string();
        assert!(
            is_described,
            "docs/json/{name}.json: {place}/{key} has no description"
        );
    }
    if properties.is_some() && name != "log" && !is_condition {
        let only = &object["additionalProperties"];
        assert_eq!(*only, false, "docs/json/{name}.json: {place}");
    }
    for (key, value) in object {
        describes_each_key(name, &format!("{place}/{key}"), value);
    }
}

#[test]
fn an_answer_with_another_key_type_or_time_does_not_match() {
    let resolved = &answers()["resolve"];
    let wrong = |key: &str, value: Value| {
        let mut answer = resolved.clone();
        answer[key] = value;
        let violations = schemas::violations("resolve", &answer);
        assert_eq!(violations.len(), 1, "{key}: {violations:?}");
        violations[0].clone()
    };
    assert!(wrong("other", json!(1)).contains("'other'"));
    assert!(wrong("size", json!("12")).contains("/size"));
    assert!(wrong("digest", json!("sha256:1")).contains("/digest"));
    assert!(wrong("warnings", json!(null)).contains("/warnings"));
    let mut listed = answers()["trust list"].clone();
    listed["identities"][0]["since"] = json!(1_700_000_000);
    let violations = schemas::violations("trust-list", &listed);
    assert!(
        violations[0].contains("/identities/0/since"),
        "{violations:?}"
    );
}

#[test]
fn warnings_are_in_answers_and_in_failures_also_when_they_are_not_printed() {
    let environment = Environment::new();
    environment.write("script", "no executable");
    let create = "create -n N -v V -b x86_64-linux=script --destination a.par -q -o json";
    let created = environment.par(create.split(' ')).success();
    let warnings = created.json()["warnings"].as_array().unwrap().clone();
    assert_eq!(warnings.len(), 1, "{created}");
    assert!(
        warnings[0].as_str().unwrap().contains("script"),
        "{created}"
    );
    assert!(!created.stderr.contains("warning"), "{created}");

    // A warning of the command, and then a failure.
    let mut command = environment.command();
    let line = "resolve 127.0.0.1:1/a:1 -u user -p secret -o json";
    command.args(line.split(' ')).env("PAR_PATIENCE", "0");
    let failed = Outcome::of(command, b"").exit(6);
    let object = failed.json();
    assert_eq!(schemas::violations(FAILURE, &object), [""; 0], "{failed}");
    let warning = object["warnings"][0].as_str().unwrap().to_owned();
    assert!(warning.contains("command line"), "{failed}");
    assert!(
        failed.stderr.contains(&format!("warning: {warning}")),
        "{failed}"
    );
}
