//! Trying uploads: how content is taken, and that nothing of it stays.

use std::fs;
use std::path::Path;

use super::{doctor, pushed};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry, shared_registry, unique};

/// The files that say what a repository holds, sorted.
fn holdings(registry: &Registry, name: &str) -> Vec<String> {
    fn list(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => list(&path, found),
                false => found.push(path.display().to_string()),
            }
        }
    }
    let repository = format!("docker/registry/v2/repositories/{name}");
    let mut found = Vec::new();
    list(&registry.storage().join(repository), &mut found);
    // What it computes while it receives stays there when an upload is cancelled.
    found.retain(|path| !path.contains("/hashstates/"));
    found.sort();
    found
}

#[test]
fn uploads_are_tried_and_nothing_of_them_stays() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let name = "org/provider";
    let file = pushed(&environment, &registry, "org/provider:1.0.0");
    let before = holdings(&registry, name);
    assert!(!before.is_empty());
    let reference = registry.reference(name);
    let found = doctor(&environment, &[&reference, "--push"], 0);
    found
        .assert("upload", "good", "in one request")
        .assert("chunks", "good", "in chunks")
        .assert("ranges", "good", "continue")
        .assert("media-types", "good", "are accepted")
        .assert("delete", "good", "nothing of the trial is left");
    assert_eq!(holdings(&registry, name), before);

    // What it shares with others is there.
    let reference = registry.reference("org/provider:1.0.0");
    let copy = environment.path("copy.par");
    let pull = ["pull", &reference, "--destination", copy.to_str().unwrap()];
    environment.par(pull).success();
    assert_eq!(fs::read(copy).unwrap(), fs::read(file).unwrap());
}

#[test]
fn a_read_only_registry_can_be_read_and_not_pushed_to() {
    let (environment, registry) = (Environment::new(), Registry::start());
    pushed(&environment, &registry, "org/provider:1.0.0");
    let read_only = Registry::builder().read_only().storage(registry.storage());
    let read_only = read_only.start();
    let reference = read_only.reference("org/provider");
    doctor(&environment, &[&reference], 0).assert("read", "good", "1.0.0");
    let found = doctor(&environment, &[&reference, "--push"], 4);
    found.assert("upload", "failed", "HTTP 405");
    found.assert("ranges", "good", "");
    assert_eq!(found.json["error"]["kind"], "denied");
}

/// Runs it against the shared registry with this in between, in a repository of its own.
fn on_the_way(rules: Vec<Rule>, code: i32) -> super::Diagnosed {
    let proxy = Proxy::to(shared_registry(), rules);
    let reference = proxy.reference(&unique("doctor"));
    doctor(&Environment::new(), &[&reference, "--push"], code)
}

#[test]
fn ways_of_uploading_that_are_missing_are_told_and_no_obstacle() {
    let whole = Fault::status("413 Payload Too Large");
    on_the_way(vec![Rule::on("PUT", "/blobs/uploads/", whole)], 0)
        .assert("upload", "limited", "sent in chunks")
        .assert("chunks", "good", "")
        .assert("delete", "good", "");
    let chunk = Fault::status("416 Range Not Satisfiable");
    on_the_way(vec![Rule::on("PATCH", "", chunk.clone()).always()], 0)
        .assert("upload", "good", "")
        .assert("chunks", "limited", "HTTP 416")
        .assert("media-types", "good", "");
    let whole = Fault::status("413 Payload Too Large");
    let neither = vec![
        Rule::on("PUT", "/blobs/uploads/", whole).always(),
        Rule::on("PATCH", "", chunk).always(),
    ];
    on_the_way(neither, 1).assert("chunks", "failed", "HTTP 416");
}

#[test]
fn ranges_that_are_ignored_are_told() {
    let ignored = Fault::Edit(|request| request.remove("range"), |_| {});
    on_the_way(vec![Rule::on("GET", "/blobs/", ignored).always()], 0).assert(
        "ranges",
        "limited",
        "start again",
    );
}

#[test]
fn what_cannot_be_deleted_is_told() {
    let refused = Fault::status("405 Method Not Allowed");
    let rule = Rule::on("DELETE", "/manifests/", refused).always();
    on_the_way(vec![rule], 0)
        .assert("media-types", "good", "")
        .assert("delete", "limited", "garbage collection: sha256:");
}

#[test]
fn media_types_that_are_refused_are_in_the_way_and_what_was_sent_goes_away() {
    let refused = Fault::Answer {
        status: "400 Bad Request",
        headers: vec![("content-type", "application/json".to_owned())],
        body: r#"{"errors": [{"code": "MANIFEST_INVALID", "message": "unknown media type"}]}"#,
    };
    on_the_way(vec![Rule::on("PUT", "/manifests/", refused).always()], 1)
        .assert(
            "media-types",
            "failed",
            "MANIFEST_INVALID, unknown media type",
        )
        .assert("media-types", "failed", "vnd.wasmcloud.provider.archive")
        .assert("delete", "good", "");
}

#[test]
fn permission_to_push_is_needed() {
    let denied = Fault::Answer {
        status: "403 Forbidden",
        headers: Vec::new(),
        body: r#"{"errors": [{"code": "DENIED", "message": "no"}]}"#,
    };
    on_the_way(
        vec![Rule::on("POST", "/blobs/uploads/", denied).always()],
        4,
    )
    .assert("upload", "failed", "DENIED");
}
