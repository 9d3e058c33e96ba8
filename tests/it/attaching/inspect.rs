//! `par inspect` shows how many artifacts of each type are attached.

use serde_json::{Value, json};

use super::{KIND, OTHER, Setup};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::transfer::par;

#[test]
fn the_number_of_attachments_of_each_type_is_shown() {
    let setup = Setup::new();
    let inspect = ["inspect", &setup.reference, "-o", "json"];
    let before = par(&setup.environment, inspect).success().json();
    assert_eq!(before["attached"], json!([]));
    let told = par(&setup.environment, ["inspect", &setup.reference]).success();
    assert!(!told.stdout.contains("Attached"), "{told}");

    setup.attach(&setup.reference, "one.json", KIND);
    setup.attach(&setup.reference, "two.json", KIND);
    setup.attach(&setup.reference, "other", OTHER);
    let told = par(&setup.environment, inspect).success().json();
    let expected = json!([
        {"artifact_type": KIND, "count": 2},
        {"artifact_type": OTHER, "count": 1},
    ]);
    assert_eq!(told["attached"], expected);
    let told = par(&setup.environment, ["inspect", &setup.reference]).success();
    let expected = format!("\n  Attached\n    2 {KIND}\n    1 {OTHER}\n");
    assert!(told.stdout.contains(&expected), "{told}");
}

#[test]
fn the_registry_is_not_asked_for_attachments_when_the_cache_has_the_archive() {
    let setup = Setup::new();
    setup.attach(&setup.reference, "note.json", KIND);
    let pinned = setup.pinned(&setup.digest);
    let inspect = ["inspect", &pinned, "-o", "json"];
    let cold = par(&setup.environment, inspect).success().json();
    assert_eq!(cold["attached"][0]["count"], 1);
    let before = setup.registry.requests().len();
    let warm = par(&setup.environment, inspect).success().json();
    assert_eq!(warm["attached"], Value::Null);
    let asked = setup.registry.requests().split_off(before);
    let lists = asked
        .iter()
        .filter(|request| request.contains("/referrers/"));
    assert_eq!(lists.count(), 0, "{asked:?}");
}

#[test]
fn a_failure_to_list_attachments_gives_a_warning() {
    let setup = Setup::new();
    let fault = Fault::status("403 Forbidden");
    let rule = Rule::on("GET", "/referrers/", fault).always();
    let proxy = Proxy::start(&setup.registry, vec![rule]);
    let reference = proxy.reference("org/provider:1.0.0");
    let told = par(&setup.environment, ["inspect", &reference, "-o", "json"]).success();
    let told = told.json();
    assert_eq!(told["attached"], Value::Null);
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains("what is attached to"), "{warnings}");
}
