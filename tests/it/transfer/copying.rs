//! `par copy`: any artifact, from reference to reference.

use std::fs;

use serde_json::{Value, json};
use wasmcloud_par::content::Digest;

use super::peer::{self, INDEX, MANIFEST};
use super::{digest, pack_noise, par, push, requests_about, small, text};
use crate::support::{Environment, Registry, shared_registry, unique};

/// Copies, and returns the digest.
#[track_caller]
fn copy(environment: &Environment, from: &str, to: &str) -> String {
    let outcome = par(environment, ["copy", from, to]).success();
    let (place, digest) = outcome.line().split_once('@').unwrap();
    assert_eq!(place, to.rsplit_once(':').unwrap().0);
    digest.to_owned()
}

#[test]
fn a_copy_has_the_same_content_in_a_registry_a_layout_and_another_registry() {
    let environment = Environment::new();
    let (here, there) = (Registry::start(), Registry::start());
    let file = pack_noise(&environment, "provider.par.gz", 6 << 20);
    let pushed = push(&environment, &here.reference("org/provider:1.0.0"), &file);
    let layout = "oci-layout://layout:carried";
    let from = here.reference("org/provider:1.0.0");
    assert_eq!(copy(&environment, &from, layout), pushed);
    let to = there.reference("elsewhere/provider:2");
    assert_eq!(copy(&environment, layout, &to), pushed);
    let pulled = peer::pull(&to);
    assert_eq!(pulled.digest.as_deref(), Some(&*pushed));
    assert_eq!(pulled.layers[0].data, fs::read(&file).unwrap());
    // A copy does not use the cache, and leaves no files besides the layout.
    let files = environment.files();
    let strange = |file: &&String| !file.contains("layout/") && !file.contains("provider.par.gz");
    let left: Vec<_> = files
        .iter()
        .filter(strange)
        .filter(|file| !file.contains("/places/"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn blobs_go_before_their_manifest_which_is_one_put_with_its_tag() {
    let environment = Environment::new();
    let registry = Registry::start();
    let file = small(&environment, "provider.par");
    let manifest = push(&environment, "oci-layout://layout:1", &file);
    let outcome = par(
        &environment,
        [
            "copy",
            "oci-layout://layout:1",
            &registry.reference("to:1"),
            "-o",
            "json",
        ],
    );
    let answer = outcome.success().json();
    assert_eq!(answer["digest"], manifest.as_str());
    assert_eq!(answer["tag"], "1");
    let requests = registry.requests();
    let puts: Vec<_> = requests
        .iter()
        .filter(|line| line.starts_with("PUT"))
        .collect();
    assert!(
        puts[..2].iter().all(|line| line.contains("/blobs/")),
        "{puts:#?}"
    );
    assert!(puts[2].contains("/manifests/1"), "{puts:#?}");
    assert_eq!(puts.len(), 3);
    let compared = format!("HEAD /v2/to/manifests/{manifest}");
    assert!(requests.last().unwrap().starts_with(&compared));
}

#[test]
fn within_a_registry_blobs_are_mounted_and_a_new_tag_sends_no_blob() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let from = registry.reference("from:1");
    let pushed = push(&environment, &from, &file);
    let before = registry.requests().len();
    assert_eq!(
        copy(&environment, &from, &registry.reference("to:1")),
        pushed
    );
    let requests = registry.requests().split_off(before);
    let mounted = requests.iter().filter(|line| line.contains("mount="));
    assert_eq!(mounted.count(), 2, "layer and config: {requests:#?}");
    let sent = requests
        .iter()
        .any(|line| line.starts_with("PUT") && line.contains("/blobs/"));
    assert!(!sent, "{requests:#?}");

    let before = registry.requests().len();
    copy(&environment, &from, &registry.reference("from:2"));
    let requests = registry.requests().split_off(before);
    assert!(
        !requests.iter().any(|line| line.starts_with("POST")),
        "{requests:#?}"
    );
    assert_eq!(
        peer::pull(&registry.reference("from:2")).digest,
        Some(pushed)
    );
}

#[test]
fn an_index_is_copied_with_everything_that_it_lists() {
    let environment = Environment::new();
    let reference = format!("{}/{}:1", shared_registry(), unique("index"));
    let image = |text: &str| {
        let layer = peer::push_blob(&reference, "text/plain", text.as_bytes());
        let config = peer::push_blob(&reference, "application/vnd.oci.empty.v1+json", b"{}");
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": [layer, layer],
        });
        let part = reference.replace(":1", &format!(":{text}"));
        let digest = peer::push_manifest(&part, MANIFEST, &manifest);
        json!({ "mediaType": MANIFEST, "digest": digest, "size": manifest.to_string().len() })
    };
    let index = |entries: &[Value], tag: &str| {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
        let part = reference.replace(":1", &format!(":{tag}"));
        let digest = peer::push_manifest(&part, INDEX, &index);
        json!({ "mediaType": INDEX, "digest": digest, "size": index.to_string().len() })
    };
    let [one, two] = ["one", "two"].map(image);
    let nested = index(std::slice::from_ref(&two), "nested");
    let whole = index(&[one.clone(), nested.clone(), two.clone()], "1");

    let copied = copy(&environment, &reference, "oci-layout://layout:1");
    assert_eq!(whole["digest"], copied.as_str());
    let digests = [&whole, &one, &nested, &two].map(|entry| entry["digest"].as_str().unwrap());
    let texts = ["one", "two", "{}"].map(|text| Digest::of(text.as_bytes()).to_string());
    for digest in digests.into_iter().chain(texts.iter().map(String::as_str)) {
        let blob = environment.path(&format!("layout/blobs/{}", digest.replace(':', "/")));
        assert!(blob.is_file(), "{digest}");
    }
    let back = format!("{}/{}:back", shared_registry(), unique("back"));
    assert_eq!(copy(&environment, "oci-layout://layout:1", &back), copied);
}

#[test]
fn deeply_nested_indexes_and_content_with_a_wrong_digest_are_not_copied() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    push(&environment, "oci-layout://layout:1", &file);
    let keep = |content: &Value, media_type: &str| {
        let text = content.to_string();
        let digest = Digest::of(text.as_bytes());
        environment.write(&format!("layout/blobs/sha256/{}", digest.hex()), &text);
        json!({ "mediaType": media_type, "digest": digest, "size": text.len() })
    };
    let mut entry = keep(&json!({ "schemaVersion": 2, "manifests": [] }), INDEX);
    for _ in 0..5 {
        entry = keep(&json!({ "schemaVersion": 2, "manifests": [entry] }), INDEX);
    }
    let deep = format!("oci-layout://layout@{}", entry["digest"].as_str().unwrap());
    let registry = Registry::start();
    let to = registry.reference("to:1");
    let outcome = par(&environment, ["copy", &deep, &to]).exit(5);
    assert!(outcome.stderr.contains("nested"), "{outcome}");

    let layer = digest(&file).replace("sha256:", "layout/blobs/sha256/");
    let size = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
    environment.write(&layer, vec![0; size]);
    for to in [&*to, "oci-layout://other:1"] {
        par(&environment, ["copy", "oci-layout://layout:1", to]).exit(5);
    }
    assert_eq!(requests_about(&registry, "PUT", "/manifests/"), 0);
    assert!(!environment.path("other/index.json").exists());
}

#[test]
fn copies_that_are_impossible_are_refused_with_the_reason() {
    let environment = Environment::new();
    let registry = Registry::start();
    let file = small(&environment, "provider.par");
    let pushed = push(&environment, "oci-layout://layout:1", &file);
    let to = registry.reference("to:1");
    par(&environment, ["copy", "oci-layout://layout:2", &to]).exit(3);
    let outcome = par(&environment, ["copy", text(&file), &to]).exit(2);
    assert!(outcome.stderr.contains("`par push`"), "{outcome}");
    let within = format!("oci-layout://{}:1", text(&file));
    for within in [within.clone(), within.replace(":1", "/below:1")] {
        let outcome = par(&environment, ["copy", "oci-layout://layout:1", &within]).exit(2);
        assert!(
            outcome.stderr.contains("is a file, not a directory"),
            "{outcome}"
        );
        par(&environment, ["resolve", &within]).exit(3);
    }
    par(
        &environment,
        ["copy", "oci-layout://layout:1", &registry.reference("to")],
    )
    .exit(2);
    let other = registry.reference(&format!("to:1@sha256:{}", "0".repeat(64)));
    let outcome = par(&environment, ["copy", "oci-layout://layout:1", &other]).exit(5);
    assert!(outcome.stderr.contains(&pushed), "{outcome}");
    let from = format!("{}/{}:1", shared_registry(), unique("from"));
    let outcome = par(
        &environment,
        ["copy", &from, &to, "-u", "me", "-p", "secret"],
    )
    .exit(2);
    assert!(outcome.stderr.contains("two registries"), "{outcome}");
    assert!(outcome.stderr.contains("leave out --user"), "{outcome}");
    assert_eq!(registry.requests(), [""; 0]);
}
