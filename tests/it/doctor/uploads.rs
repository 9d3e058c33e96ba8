//! Trial uploads: `par doctor` reports which kinds the registry accepts, and removes them.

use std::fs;
use std::path::Path;

use super::{doctor, pushed};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry, shared_registry, unique};

/// Returns the files of a repository in the storage of the registry, sorted.
fn stored_files(registry: &Registry, name: &str) -> Vec<String> {
    fn list(directory: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                list(&path, found);
            } else {
                found.push(path.display().to_string());
            }
        }
    }
    let repository = format!("docker/registry/v2/repositories/{name}");
    let mut found = Vec::new();
    list(&registry.storage().join(repository), &mut found);
    // The registry keeps the hash states of a cancelled upload.
    found.retain(|path| !path.contains("/hashstates/"));
    found.sort();
    found
}

#[test]
fn trial_uploads_are_removed() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let name = "org/provider";
    let file = pushed(&environment, &registry, "org/provider:1.0.0");
    let before = stored_files(&registry, name);
    assert!(!before.is_empty());
    let reference = registry.reference(name);
    let found = doctor(&environment, &[&reference, "--push"], 0);
    found
        .assert("upload", "good", "in one request")
        .assert("chunks", "good", "in chunks")
        .assert("ranges", "good", "continue")
        .assert("media-types", "good", "are accepted")
        .assert("delete", "good", "nothing of the trial is left");
    assert_eq!(stored_files(&registry, name), before);

    // The blobs that the trial shares with an archive are still there.
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

/// Runs `par doctor` in a new repository of the shared registry, behind a proxy with these rules.
fn doctor_behind(rules: Vec<Rule>, code: i32) -> super::Diagnosed {
    let proxy = Proxy::to(shared_registry(), rules);
    let reference = proxy.reference(&unique("doctor"));
    doctor(&Environment::new(), &[&reference, "--push"], code)
}

#[test]
fn one_missing_kind_of_upload_is_reported_and_does_not_fail() {
    let whole = Fault::status("413 Payload Too Large");
    doctor_behind(vec![Rule::on("PUT", "/blobs/uploads/", whole)], 0)
        .assert("upload", "limited", "sent in chunks")
        .assert("chunks", "good", "")
        .assert("delete", "good", "");
    let chunk = Fault::status("416 Range Not Satisfiable");
    doctor_behind(vec![Rule::on("PATCH", "", chunk.clone()).always()], 0)
        .assert("upload", "good", "")
        .assert("chunks", "limited", "HTTP 416")
        .assert("media-types", "good", "");
    let whole = Fault::status("413 Payload Too Large");
    let neither = vec![
        Rule::on("PUT", "/blobs/uploads/", whole).always(),
        Rule::on("PATCH", "", chunk).always(),
    ];
    doctor_behind(neither, 1).assert("chunks", "failed", "HTTP 416");
}

#[test]
fn ignored_ranges_are_reported() {
    let ignored = Fault::Edit(|request| request.remove("range"), |_| {});
    doctor_behind(vec![Rule::on("GET", "/blobs/", ignored).always()], 0).assert(
        "ranges",
        "limited",
        "start again",
    );
}

#[test]
fn a_refused_deletion_is_reported() {
    let refused = Fault::status("405 Method Not Allowed");
    let rule = Rule::on("DELETE", "/manifests/", refused).always();
    doctor_behind(vec![rule], 0)
        .assert("media-types", "good", "")
        .assert("delete", "limited", "garbage collection: sha256:");
}

#[test]
fn refused_media_types_fail_and_the_trial_upload_is_removed() {
    let refused = Fault::Answer {
        status: "400 Bad Request",
        headers: vec![("content-type", "application/json".to_owned())],
        body: r#"{"errors": [{"code": "MANIFEST_INVALID", "message": "unknown media type"}]}"#,
    };
    doctor_behind(vec![Rule::on("PUT", "/manifests/", refused).always()], 1)
        .assert(
            "media-types",
            "failed",
            "MANIFEST_INVALID, unknown media type",
        )
        .assert("media-types", "failed", "vnd.wasmcloud.provider.archive")
        .assert("delete", "good", "");
}

#[test]
fn a_missing_permission_to_push_fails() {
    let denied = Fault::Answer {
        status: "403 Forbidden",
        headers: Vec::new(),
        body: r#"{"errors": [{"code": "DENIED", "message": "no"}]}"#,
    };
    doctor_behind(
        vec![Rule::on("POST", "/blobs/uploads/", denied).always()],
        4,
    )
    .assert("upload", "failed", "DENIED");
}
