//! Content of a registry that is not a provider archive, and image indexes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wasmcloud_par::archive::Limits;
use wasmcloud_par::content::{Digest, ErrorKind};
use wasmcloud_par::oci::Reference;

use super::peer::{self, INDEX, MANIFEST, PAR_CONFIG, PAR_LAYER};
use super::{block_on, cached, client, client_within, par, small, text};
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, shared_registry, unique};

/// Asserts that all commands that read a reference refuse it as not verified, download no layer, and leave no file.
/// Returns the message.
#[track_caller]
fn refused(reference: &str) -> String {
    let mut said = String::new();
    for command in ["pull", "fetch", "inspect", "verify", "extract"] {
        let environment = Environment::new();
        let outcome = par(&environment, [command, reference]).exit(5);
        assert_eq!(outcome.stdout, "");
        assert_eq!(cached(&environment, "blobs").len(), 1, "only the manifest");
        assert!(
            !environment
                .files()
                .iter()
                .any(|file| file.starts_with("work/"))
        );
        said = outcome.stderr;
    }
    said
}

#[test]
fn components_are_refused_and_the_right_tool_is_named() {
    for (config, layer) in [
        ("application/vnd.wasm.config.v0+json", "application/wasm"),
        (
            "application/vnd.oci.image.config.v1+json",
            "application/wasm",
        ),
        (
            "application/vnd.wasmcloud.actor.archive.config",
            "application/vnd.module.wasm.content.layer.v1+wasm",
        ),
    ] {
        let reference = format!("{}/{}:1.0.0", shared_registry(), unique("component"));
        let module: &[u8] = b"\0asm\x0d\0\x01\0";
        peer::push_layers(&reference, config, &[(layer, module)]);
        let said = refused(&reference);
        assert!(said.contains("is a WebAssembly component"), "{said}");
        assert!(said.contains("`wkg oci`"), "{said}");
    }
}

#[test]
fn a_container_image_is_refused_with_its_media_types() {
    let reference = format!("{}/{}:1.0.0", shared_registry(), unique("image"));
    let config = "application/vnd.oci.image.config.v1+json";
    let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
    peer::push_layers(&reference, config, &[(layer, b"not looked at")]);
    let said = refused(&reference);
    assert!(said.contains("is not a provider archive"), "{said}");
    assert!(said.contains(config) && said.contains(layer), "{said}");
}

/// Pushes an archive into the repository of `reference`, and returns an entry of an index for it.
fn entry(reference: &str, archive: &[u8], platform: Option<(&str, &str)>) -> Value {
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": peer::push_blob(reference, PAR_CONFIG, b"{}"),
        "layers": [peer::push_blob(reference, PAR_LAYER, archive)],
    });
    // The archive gets its own tag, because oci-client cannot push by digest.
    let name = format!("part-{}", archive.len());
    let part = reference.replace(":1.0.0", &format!(":{name}"));
    let digest = peer::push_manifest(&part, MANIFEST, &manifest);
    let size = manifest.to_string().len();
    let mut entry = json!({ "mediaType": MANIFEST, "digest": digest, "size": size });
    if let Some((os, architecture)) = platform {
        entry["platform"] = json!({ "os": os, "architecture": architecture });
    }
    entry
}

fn push_index(reference: &str, entries: &[Value]) -> String {
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    peer::push_manifest(reference, INDEX, &index)
}

fn host_platform() -> (&'static str, &'static str) {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        architecture => architecture,
    };
    (os, architecture)
}

#[test]
fn the_entry_for_this_machine_is_used_from_an_image_index() {
    let environment = Environment::new();
    let reference = format!("{}/{}:1.0.0", shared_registry(), unique("index"));
    let ours = ArchiveBuilder::two_targets().build();
    let others = ArchiveBuilder::two_targets().build_gzip();
    let other = entry(&reference, &others, Some(("plan9", "mips")));
    let mine = entry(&reference, &ours, Some(host_platform()));
    let index = push_index(&reference, &[other, mine.clone()]);

    let by_digest = reference.replace(":1.0.0", &format!("@{index}"));
    for reference in [reference, by_digest] {
        let pulled = par(&environment, ["pull", &reference, "-o", "json"]).success();
        assert_eq!(pulled.json()["digest"], mine["digest"]);
        let file = environment.path(pulled.json()["file"].as_str().unwrap());
        assert_eq!(std::fs::read(file).unwrap(), ours);
    }
}

#[test]
fn of_an_image_index_the_entry_for_the_target_is_used() {
    let environment = Environment::new();
    let reference = format!("{}/{}:1.0.0", shared_registry(), unique("targets"));
    let archive = |content: &str| {
        let archive = ArchiveBuilder::empty();
        let archive = archive.executable("aarch64-linux", content.as_bytes());
        archive.executable("x86_64-linux", content.as_bytes())
    };
    let [amd, arm] =
        [("amd64", "for amd64"), ("arm64", "for arm64")].map(|(architecture, content)| {
            entry(
                &reference,
                &archive(content).world(content.as_bytes()).build(),
                Some(("linux", architecture)),
            )
        });
    push_index(&reference, &[amd.clone(), arm.clone()]);
    for (target, expected, content) in [
        ("aarch64-linux", arm, "for arm64"),
        ("x86_64-linux", amd, "for amd64"),
    ] {
        let fetch = ["fetch", &reference, "--target", target, "-o", "json"];
        let fetched = par(&environment, fetch).success();
        assert_eq!(fetched.json()["digest"], expected["digest"], "{target}");
        let extract = ["extract", &reference, "--target", target, "-o", "json"];
        let extracted = par(&environment, extract).success();
        let hash = Digest::of(content.as_bytes()).to_string();
        assert_eq!(extracted.json()["digest"], hash, "{target}");
    }
}

#[test]
fn the_only_entry_of_an_image_index_is_used_whatever_its_platform() {
    let environment = Environment::new();
    let archive = ArchiveBuilder::two_targets().build();
    for platform in [None, Some(("plan9", "mips"))] {
        let reference = format!("{}/{}:1.0.0", shared_registry(), unique("sole"));
        let entry = entry(&reference, &archive, platform);
        push_index(&reference, &[entry]);
        par(&environment, ["verify", &reference]).success();
    }
}

#[test]
fn the_error_about_an_image_index_lists_its_platforms() {
    let environment = Environment::new();
    let reference = format!("{}/{}:1.0.0", shared_registry(), unique("foreign"));
    let entries = [
        entry(
            &reference,
            &ArchiveBuilder::two_targets().build(),
            Some(("plan9", "mips")),
        ),
        entry(
            &reference,
            &ArchiveBuilder::two_targets().build_gzip(),
            Some(("haiku", "arm")),
        ),
    ];
    push_index(&reference, &entries);
    let said = par(&environment, ["pull", &reference]).exit(3).stderr;
    assert!(said.contains("plan9/mips, haiku/arm"), "{said}");
    // A host that uses the library gets the same error.
    let cache = tempfile::tempdir().unwrap();
    let reference = reference.parse().unwrap();
    let error = block_on(super::client(cache.path()).inspect(&reference)).unwrap_err();
    assert_eq!(error.kind(), wasmcloud_par::content::ErrorKind::NotFound);
}

#[test]
fn archives_beyond_the_limits_of_a_client_are_neither_pushed_nor_read() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let folder = environment.path("layout");
    let reference = format!("oci-layout://{}:1.0.0", text(&folder));
    let reference: Reference = reference.parse().unwrap();
    let annotations = BTreeMap::new();
    let cache = environment.path("cache");
    let mut limits = Limits::default();
    limits.executable = 10;

    let strict = client_within(&cache, limits.clone());
    let error = block_on(strict.push(&file, &reference, &annotations)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVerified, "{error:?}");
    assert!(!folder.exists());
    block_on(client(&cache).push(&file, &reference, &annotations)).unwrap();
    let error = block_on(strict.inspect(&reference)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVerified, "{error:?}");
    limits.executable = 100;
    block_on(client_within(&cache, limits).inspect(&reference)).unwrap();
}
