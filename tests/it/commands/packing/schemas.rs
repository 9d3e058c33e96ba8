//! `par create --schema`

use super::super::normalized;
use crate::support::{Environment, Outcome, create_arguments};

fn create(environment: &Environment, schema: &str) -> Outcome {
    environment.write("schema.json", schema);
    environment.write("provider", "an executable");
    environment.par(create_arguments("provider", &["-j", "schema.json", "-q"]))
}

#[test]
fn schemas_of_every_draft_are_packed() {
    let environment = Environment::new();
    let drafts = [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ];
    for draft in drafts {
        create(
            &environment,
            &format!(r#"{{"$schema":"{draft}","type":"object"}}"#),
        )
        .success();
    }
    let recursive = r##"{"$ref":"#/$defs/a","$defs":{"a":{"properties":{"a":{"$ref":"#"}}}}}"##;
    for schema in ["true", "{}", recursive] {
        create(&environment, schema).success();
    }
}

#[test]
fn an_invalid_schema_is_refused_with_the_place_and_no_key_is_generated() {
    let environment = Environment::new();
    let outcome = create(
        &environment,
        r#"{"properties":{"port":{"type":"integer","minimum":"one"}}}"#,
    );
    insta::assert_snapshot!(normalized(&outcome.exit(2).stderr, &environment), @r#"error: cannot use the schema schema.json: not a JSON schema: /properties/port/minimum: "one" is not of type "number""#);
    let cases = [
        ("[]", "at the top"),
        (r#"{"type":"strin"}"#, "/type"),
        (r#"{"items":[{"pattern":"("}]}"#, "/items"),
        (
            r#"{"properties":{"a":{"pattern":"("}}}"#,
            "/properties/a/pattern",
        ),
        (r##"{"$ref":"#/$defs/none"}"##, "none"),
        // Draft 4 has booleans there, later drafts have numbers.
        (r#"{"exclusiveMinimum":true}"#, "/exclusiveMinimum"),
        (
            r#"{"$schema":"https://example.com/mine"}"#,
            "https://example.com/mine",
        ),
    ];
    for (schema, part) in cases {
        let outcome = create(&environment, schema).exit(2);
        assert!(
            outcome
                .stderr
                .starts_with("error: cannot use the schema schema.json: "),
            "{outcome}"
        );
        assert!(outcome.stderr.contains(part), "{part}\n{outcome}");
    }
    assert_eq!(environment.files(), ["work/provider", "work/schema.json"]);
}

#[test]
fn a_schema_that_is_nested_too_deeply_is_refused_with_its_name() {
    let environment = Environment::new();
    let nested =
        |levels: usize| format!("{}{{}}{}", r#"{"not":"#.repeat(levels), "}".repeat(levels));
    for levels in [125, 126, 200] {
        let outcome = create(&environment, &nested(levels)).exit(2);
        assert!(
            outcome.stderr.contains("the schema schema.json"),
            "{outcome}"
        );
        assert!(outcome.stderr.contains("recursion limit"), "{outcome}");
    }
    assert_eq!(environment.files(), ["work/provider", "work/schema.json"]);
    create(&environment, &nested(124)).success();
    environment.par(["verify", "provider.par"]).success();
}

#[test]
fn references_in_a_schema_are_never_fetched() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let environment = Environment::new();
    let file = environment.write("other.json", "{}");
    let address = listener.local_addr().unwrap();
    for url in [
        format!("http://{address}/x.json"),
        format!("file://{}", file.display()),
    ] {
        let outcome = create(&environment, &format!(r#"{{"$ref":"{url}"}}"#)).exit(2);
        assert!(outcome.stderr.contains(&url), "{outcome}");
    }
    assert!(listener.accept().is_err(), "nobody asked for it");
}
