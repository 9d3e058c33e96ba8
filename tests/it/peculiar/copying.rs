//! Copies of artifacts with unusual parts.

mod unknown;
mod written;

use std::fs;

use serde_json::{Value, json};
use wasmcloud_par::content::Digest;

use self::written::Written;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Answer, Environment, Registry, Server};
use crate::transfer::peer::{self, MANIFEST};

const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const ORAS: &str = "application/vnd.cncf.oras.artifact.manifest.v1+json";
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+json";
const SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

fn holds(environment: &Environment, layout: &str, content: &str) -> bool {
    let digest = Digest::of(content.as_bytes());
    let path = format!("{layout}/blobs/sha256/{}", digest.hex());
    environment.path(&path).is_file()
}

#[test]
fn the_blobs_of_an_artifact_manifest_in_an_index_are_copied() {
    for media_type in [ARTIFACT, ORAS] {
        let environment = Environment::new();
        let layout = Written::new(&environment, "layout");
        let image = layout.image("an image");
        let image = layout.json(MANIFEST, &image);
        let artifact = json!({
            "mediaType": media_type,
            "artifactType": "application/spdx+json",
            "blobs": [layout.blob("application/spdx+json", "a bill of materials")],
            "subject": image,
        });
        let artifact = layout.json(media_type, &artifact);
        layout.index(&[image, artifact]);
        layout.assert_copies_are_complete();
    }
}

#[test]
fn the_children_of_an_index_are_manifests_however_their_type_is_written() {
    let no_type: fn(&mut Value) = |child| {
        child.as_object_mut().unwrap().remove("mediaType");
    };
    let edits: [fn(&mut Value); 5] = [
        no_type,
        |child| child["mediaType"] = Value::Null,
        |child| child["mediaType"] = json!("application/json"),
        |child| child["mediaType"] = json!("Application/VND.oci.image.manifest.v1+JSON"),
        |child| {
            child["mediaType"] = json!("application/vnd.oci.image.index.v1+json; charset=utf-8");
        },
    ];
    for edit in edits {
        let environment = Environment::new();
        let layout = Written::new(&environment, "layout");
        let mut child = layout.json(MANIFEST, &layout.image("an image"));
        edit(&mut child);
        layout.index(&[child]);
        layout.copy("oci-layout://copy:1").success();
        assert!(holds(&environment, "copy", "an image"));
    }
}

#[test]
fn manifests_among_layers_and_lists_that_are_null_are_copied() {
    let environment = Environment::new();
    let layout = Written::new(&environment, "layout");
    let inner = layout.json(MANIFEST, &layout.image("the inner image"));
    let mut image = layout.image("the outer image");
    image["layers"].as_array_mut().unwrap().push(inner);
    image["manifests"] = Value::Null;
    layout.tag(layout.json(MANIFEST, &image));
    layout.copy("oci-layout://copy:1").success();
    for text in ["the inner image", "the outer image"] {
        assert!(holds(&environment, "copy", text), "{text}");
    }
    let nothing = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "layers": null,
        "config": layout.blob("application/vnd.oci.empty.v1+json", "{}"),
    });
    let nothing = layout.json(MANIFEST, &nothing);
    let digest = layout.tag(nothing);
    let copied = layout.copy("oci-layout://copy:2").success().json();
    assert_eq!(copied["digest"], digest.as_str());
}

#[test]
fn a_manifest_that_names_content_in_an_unknown_way_is_refused_by_name() {
    let environment = Environment::new();
    let layout = Written::new(&environment, "layout");
    let blob = layout.blob("text/plain", "what would be lost");
    for (media_type, manifest) in [
        ("a/b", json!({ "mediaType": "a/b", "parts": [blob] })),
        (
            "application/vnd.x+json",
            json!({ "schemaVersion": 3, "of": { "it": [{ "this": blob }] } }),
        ),
        (
            SCHEMA_1,
            json!({ "schemaVersion": 1, "fsLayers": [{ "blobSum": blob["digest"] }] }),
        ),
        (
            SIGNED,
            json!({ "schemaVersion": 1, "fsLayers": [], "signatures": [] }),
        ),
        (
            "application/json",
            json!({ "schemaVersion": 1, "fsLayers": [] }),
        ),
        (
            MANIFEST,
            json!({ "schemaVersion": 2, "mediaType": "a/b", "parts": [blob] }),
        ),
    ] {
        let child = layout.json(media_type, &manifest);
        let digest = child["digest"].as_str().unwrap().to_owned();
        layout.index(std::slice::from_ref(&child));
        let in_index = layout.copy("oci-layout://copy:1").exit(5);
        layout.tag(child);
        let alone = layout.copy("oci-layout://copy:1").exit(5);
        for refused in [in_index, alone] {
            assert!(refused.stdout.contains(&digest), "{refused}");
            assert!(refused.stdout.contains("not supported"), "{refused}");
        }
        assert!(!environment.path("copy/index.json").exists());
    }
}

#[test]
fn docker_schema_1_of_a_registry_is_refused_by_name() {
    let environment = Environment::new();
    let body = r#"{"schemaVersion": 1, "name": "old", "tag": "1", "fsLayers": []}"#;
    for content_type in [SIGNED, SCHEMA_1, "application/json"] {
        let server = Server::start(move |asked, _| {
            if asked.target.contains("/manifests/") {
                Answer::body(body).header("content-type", content_type)
            } else {
                Answer::status("404 Not Found")
            }
        });
        let reference = server.reference("old:1");
        let copy = ["copy", &reference, "oci-layout://copy:1"];
        let refused = environment.par(copy).exit(5);
        assert!(refused.stderr.contains("manifest.v1+"), "{refused}");
        // Its digest can still be resolved.
        environment.par(["resolve", &reference]).success();
    }
}

#[test]
fn blobs_that_an_index_lists_are_copied() {
    // BuildKit stores a cache like this.
    let environment = Environment::new();
    let layout = Written::new(&environment, "layout");
    let layer = layout.blob("application/vnd.oci.image.layer.v1.tar+gzip", "a layer");
    let config = json!({ "layers": [{ "blob": layer["digest"], "parent": -1 }] });
    let config = layout.json("application/vnd.buildkit.cacheconfig.v0", &config);
    layout.index(&[layer, config]);
    layout.assert_copies_are_complete();
}

#[test]
fn a_child_is_found_where_the_registry_serves_it() {
    for (media_type, path) in [
        (MANIFEST, "/manifests/"),
        (MANIFEST, "/blobs/"),
        ("application/json", "/manifests/"),
        ("application/json", "/blobs/"),
    ] {
        let environment = Environment::new();
        let registry = Registry::start();
        let layout = Written::new(&environment, "layout");
        let mut child = layout.json(MANIFEST, &layout.image("an image"));
        child["mediaType"] = json!(media_type);
        let digest = child["digest"].as_str().unwrap().to_owned();
        let root = layout.index(&[child]);
        layout.copy(&registry.reference("org/x:1")).success();
        // `registry:2` serves a manifest as a blob only when it was stored as one.
        let bytes = layout.image("an image").to_string();
        peer::push_blob(&registry.reference("org/x:1"), MANIFEST, bytes.as_bytes());
        let other = if path == "/blobs/" {
            "/manifests/"
        } else {
            "/blobs/"
        };
        let missing = Fault::status("404 Not Found");
        let rule = Rule::on("GET", &format!("{other}{digest}"), missing).always();
        let proxy = Proxy::start(&registry, vec![rule]);
        let from = proxy.reference(&format!("org/x@{root}"));
        environment
            .par(["copy", &from, "oci-layout://copy:1"])
            .success();
        assert!(
            holds(&environment, "copy", "an image"),
            "{media_type}, {path}"
        );
    }
}

#[test]
fn a_subject_is_copied_unless_it_is_missing() {
    for is_there in [true, false] {
        let environment = Environment::new();
        let layout = Written::new(&environment, "layout");
        let subject = layout.json(MANIFEST, &layout.image("what is signed"));
        let digest = subject["digest"].as_str().unwrap().to_owned();
        let mut signature = layout.image("a signature");
        signature["subject"] = subject;
        layout.tag(layout.json(MANIFEST, &signature));
        if is_there {
            layout.assert_copies_are_complete();
            continue;
        }
        let hex = digest.trim_start_matches("sha256:");
        fs::remove_file(environment.path(&format!("layout/blobs/sha256/{hex}"))).unwrap();
        let copied = layout.copy("oci-layout://copy:1").success();
        assert!(copied.stderr.contains(&digest), "{copied}");
        assert_eq!(copied.json()["left_out"][0]["digest"], digest.as_str());
        assert!(holds(&environment, "copy", "a signature"));
    }
}

#[test]
fn content_that_is_named_as_a_blob_and_as_a_manifest_is_copied_as_both() {
    let environment = Environment::new();
    let layout = Written::new(&environment, "layout");
    let inner = layout.json(MANIFEST, &layout.image("the inner image"));
    let mut as_blob = inner.clone();
    as_blob["mediaType"] = json!("application/octet-stream");
    let mut outer = layout.image("the outer image");
    outer["layers"].as_array_mut().unwrap().push(as_blob);
    let outer = layout.json(MANIFEST, &outer);
    layout.index(&[outer, inner]);
    layout.assert_copies_are_complete();
}

#[test]
fn an_entry_of_an_index_may_not_be_missing_although_a_subject_may() {
    let environment = Environment::new();
    let layout = Written::new(&environment, "layout");
    let missing = layout.json(MANIFEST, &layout.image("what is signed"));
    let digest = missing["digest"].as_str().unwrap().to_owned();
    let hex = digest.trim_start_matches("sha256:");
    fs::remove_file(environment.path(&format!("layout/blobs/sha256/{hex}"))).unwrap();
    let mut signature = layout.image("a signature");
    signature["subject"] = missing.clone();
    let signature = layout.json(MANIFEST, &signature);
    layout.index(&[signature, missing]);
    let refused = layout.copy("oci-layout://copy:1").exit(3);
    assert!(refused.stdout.contains(&digest), "{refused}");
}

#[test]
fn content_inside_a_descriptor_need_not_be_at_the_source() {
    let environment = Environment::new();
    let layout = Written::new(&environment, "layout");
    let mut image = layout.image("in the descriptor");
    image["layers"][0]["data"] = json!("aW4gdGhlIGRlc2NyaXB0b3I=");
    let digest = Digest::of(b"in the descriptor");
    let path = format!("layout/blobs/sha256/{}", digest.hex());
    fs::remove_file(environment.path(&path)).unwrap();
    layout.tag(layout.json(MANIFEST, &image));
    layout.copy("oci-layout://copy:1").success();
    assert!(holds(&environment, "copy", "in the descriptor"));
    // Content with another digest is not accepted.
    image["layers"][0]["data"] = json!("aW4gYSBkZXNjcmlwdG9y");
    layout.tag(layout.json(MANIFEST, &image));
    layout.copy("oci-layout://other:1").exit(3);
}

#[test]
fn foreign_layers_that_are_not_there_are_left_out_with_a_warning() {
    let docker = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let oci = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    let url = "https://mcr.example/windows/layer";
    for (media_type, urls) in [
        (docker, json!([url])),
        (oci, json!([url])),
        (oci, json!([])),
        ("application/vnd.oci.image.layer.v1.tar+gzip", json!([url])),
    ] {
        let environment = Environment::new();
        let layout = Written::new(&environment, "layout");
        let mut foreign = layout.blob(media_type, "a foreign layer");
        foreign["urls"] = urls.clone();
        let digest = foreign["digest"].as_str().unwrap().to_owned();
        let mut image = layout.image("a layer");
        image["layers"].as_array_mut().unwrap().push(foreign);
        layout.tag(layout.json(MANIFEST, &image));
        let copied = layout.copy("oci-layout://whole:1").success();
        assert_eq!(copied.json()["left_out"], json!([]));
        assert!(holds(&environment, "whole", "a foreign layer"));

        let hex = digest.trim_start_matches("sha256:");
        fs::remove_file(environment.path(&format!("layout/blobs/sha256/{hex}"))).unwrap();
        let copied = layout.copy("oci-layout://copy:1").success();
        let left_out = json!([{ "digest": digest, "media_type": media_type, "urls": urls }]);
        assert_eq!(copied.json()["left_out"], left_out);
        assert!(copied.stderr.contains(&digest), "{copied}");
        assert_eq!(copied.stderr.contains(url), urls != json!([]), "{copied}");
        assert!(holds(&environment, "copy", "a layer"));
        assert!(!holds(&environment, "copy", "a foreign layer"));

        let allowed = "validation:\n  manifests:\n    urls:\n      allow:\n        - .*\n";
        let registry = Registry::builder().section(allowed).start();
        // `registry:2` looks for a layer of a usual type even if it has URLs.
        if media_type == docker {
            let there = registry.reference("org/x:1");
            layout.copy(&there).success();
            let back = ["copy", &there, "oci-layout://back:1", "-o", "json"];
            let back = environment.par(back).success();
            assert_eq!(back.json()["left_out"], left_out);
        }
    }
}

#[test]
fn a_missing_layer_that_is_not_foreign_is_an_error() {
    let environment = Environment::new();
    let layout = Written::new(&environment, "layout");
    layout.tag(layout.json(MANIFEST, &layout.image("a layer")));
    let digest = Digest::of(b"a layer");
    let path = format!("layout/blobs/sha256/{}", digest.hex());
    fs::remove_file(environment.path(&path)).unwrap();
    let refused = layout.copy("oci-layout://copy:1").exit(3);
    assert!(refused.stdout.contains(digest.hex()), "{refused}");
}
