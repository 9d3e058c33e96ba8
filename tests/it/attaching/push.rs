//! `par push --attach`

use serde_json::json;

use super::{KIND, OTHER, archive, digests};
use crate::support::{Environment, Registry};
use crate::transfer::{par, text};

#[test]
fn attachments_are_stored_before_the_tag() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    let file = archive(&environment);
    environment.write("note.json", "{}");
    environment.write("other", "other");
    let push = |more: &[&str]| {
        let note = format!("note.json={KIND}");
        let other = format!("other={OTHER}");
        let arguments = ["push", &reference, text(&file), "--attach", &note];
        let arguments = [&arguments[..], &["--attach", &other, "-o", "json"], more].concat();
        environment.par(arguments).success().json()
    };
    let dry = push(&["--dry-run"]);
    let changes = |request: &String| request.starts_with("PUT ") || request.starts_with("POST ");
    assert!(!registry.requests().iter().any(changes));

    let pushed = push(&[]);
    assert_eq!(pushed["attached"], dry["attached"]);
    let puts = registry.requests();
    let place = |manifest: &str| {
        let put = format!("PUT /v2/provider/manifests/{manifest}");
        let place = puts.iter().position(|request| *request == put);
        place.unwrap_or_else(|| panic!("no {put} in {puts:?}"))
    };
    let tagged = place("1.0.0");
    assert!(place(pushed["digest"].as_str().unwrap()) < tagged);
    for attached in pushed["attached"].as_array().unwrap() {
        assert_eq!(attached["existed"], false);
        assert!(place(attached["digest"].as_str().unwrap()) < tagged);
    }
    let found = par(&environment, ["discover", &reference, "-o", "json"])
        .success()
        .json();
    let told = pushed["attached"].as_array().unwrap().iter();
    let told: Vec<&str> = told.map(|each| each["digest"].as_str().unwrap()).collect();
    assert_eq!(digests(&found), told);

    let again = push(&[]);
    let existed = again["attached"].as_array().unwrap().iter();
    let existed: Vec<_> = existed.map(|each| &each["existed"]).collect();
    assert_eq!(existed, [&json!(true), &json!(true)]);
}

#[test]
fn a_new_layout_gets_the_archive_and_its_attachments() {
    let environment = Environment::new();
    let file = archive(&environment);
    environment.write("note.json", "{}");
    let note = format!("note.json={KIND}");
    let reference = "oci-layout://layout:1";
    let push = ["push", reference, text(&file), "--attach", &note];
    let dry = environment.par([&push[..], &["--dry-run", "-o", "json"]].concat());
    let dry = dry.success().json();
    let pushed = environment
        .par([&push[..], &["-o", "json"]].concat())
        .success()
        .json();
    assert_eq!(pushed["attached"], dry["attached"]);
    let found = par(&environment, ["discover", reference, "-o", "json"])
        .success()
        .json();
    assert_eq!(
        found["attached"][0]["digest"],
        pushed["attached"][0]["digest"]
    );
}

#[test]
fn a_file_that_cannot_be_attached_keeps_the_push_from_sending_anything() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    let file = archive(&environment);
    environment.write("note.json", "{}");
    for (attach, code) in [
        (format!("missing.json={KIND}"), 3),
        ("note.json=note".to_owned(), 2),
        ("note.json".to_owned(), 2),
        (format!("-={KIND}"), 2),
    ] {
        let outcome = par(
            &environment,
            ["push", &reference, text(&file), "--attach", &attach],
        );
        outcome.exit(code);
    }
    let requests = registry.requests();
    assert!(
        !requests.iter().any(|request| request.starts_with("PUT ")),
        "{requests:?}"
    );
}
