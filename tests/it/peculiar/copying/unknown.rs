//! Copies of content that is named in fields of no specification, and of foreign layers that a registry refuses.

use serde_json::{Value, json};

use super::holds;
use super::written::Written;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry};
use crate::transfer::peer::{INDEX, MANIFEST};

#[test]
fn content_that_unknown_fields_of_a_manifest_name_is_copied_or_left_out() {
    let environment = Environment::new();
    let layout = Written::new(&environment, "layout");
    let mut image = layout.image("a layer");
    image["signatures"] = json!([layout.blob("text/plain", "a signature")]);
    image["more"] = json!({ "of": layout.json(MANIFEST, &layout.image("another image")) });
    let image = layout.json(MANIFEST, &image);
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [image],
        "attestations": layout.blob("application/json", "{}"),
    });
    layout.tag(layout.json(INDEX, &index));
    layout.assert_copies_are_complete();

    let missing = json!({
        "mediaType": "text/plain", "size": 17,
        "digest": format!("sha256:{}", "0".repeat(64)),
    });
    let mut image = layout.image("a layer");
    image["signatures"] = json!([missing]);
    layout.tag(layout.json(MANIFEST, &image));
    let copied = layout.copy("oci-layout://copy:1").success();
    assert_eq!(copied.json()["left_out"][0]["digest"], missing["digest"]);
    assert!(holds(&environment, "copy", "a layer"));
}

#[test]
fn json_with_digests_is_refused_if_the_source_has_their_content() {
    let forms: [fn(&Value) -> Value; 5] = [
        |blob| json!({ "parts": [blob["digest"]] }),
        |blob| json!({ "parts": [{ "digest": blob["digest"], "kind": 1 }] }),
        |blob| json!({ "fsLayers": [{ "blobSum": blob["digest"] }] }),
        |blob| json!({ "files": { blob["digest"].as_str().unwrap(): { "mode": 420 } } }),
        |blob| json!([[blob["digest"]]]),
    ];
    for form in forms {
        let environment = Environment::new();
        let layout = Written::new(&environment, "layout");
        let blob = layout.blob("text/plain", "what would be lost");
        let child = layout.json("application/vnd.x+json", &form(&blob));
        let digest = child["digest"].as_str().unwrap().to_owned();
        layout.index(&[child]);
        let refused = layout.copy("oci-layout://copy:1").exit(5);
        assert!(refused.stdout.contains(&digest), "{refused}");
        assert!(refused.stdout.contains("not supported"), "{refused}");

        // If the index lists the content too, it is copied.
        let environment = Environment::new();
        let layout = Written::new(&environment, "layout");
        let blob = layout.blob("text/plain", "what is not lost");
        let child = layout.json("application/vnd.x+json", &form(&blob));
        layout.index(&[child, blob]);
        layout.assert_copies_are_complete();

        // The digest of content that the source does not have is ignored.
        let environment = Environment::new();
        let layout = Written::new(&environment, "layout");
        let elsewhere = json!({ "digest": format!("sha256:{}", "1".repeat(64)) });
        let child = layout.json("application/vnd.x+json", &form(&elsewhere));
        layout.index(&[child]);
        layout.assert_copies_are_complete();
    }
}

#[test]
fn foreign_layers_that_the_registry_refuses_are_left_out() {
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let allowed = "validation:\n  manifests:\n    urls:\n      allow:\n        - .*\n";
    for status in [
        "400 Bad Request",
        "403 Forbidden",
        "404 Not Found",
        "410 Gone",
        "501 Not Implemented",
    ] {
        let environment = Environment::new();
        let registry = Registry::builder().section(allowed).start();
        let layout = Written::new(&environment, "layout");
        let mut layer = layout.blob(foreign, "a foreign layer");
        layer["urls"] = json!(["https://mcr.example/layer"]);
        let digest = layer["digest"].as_str().unwrap().to_owned();
        let mut image = layout.image("a layer");
        image["layers"].as_array_mut().unwrap().push(layer);
        layout.tag(layout.json(MANIFEST, &image));
        layout.copy(&registry.reference("org/x:1")).success();
        let refuse = Rule::on("GET", &format!("/blobs/{digest}"), Fault::status(status)).always();
        let proxy = Proxy::start(&registry, vec![refuse]);
        let from = proxy.reference("org/x:1");
        let copied = environment.par(["copy", &from, "oci-layout://copy:1", "-o", "json"]);
        let copied = copied.success();
        assert_eq!(copied.json()["left_out"][0]["digest"], digest.as_str());
        assert!(copied.stderr.contains(&digest), "{copied}");
        assert!(holds(&environment, "copy", "a layer"), "{status}");
    }
}
