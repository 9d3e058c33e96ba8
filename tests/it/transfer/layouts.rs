//! OCI image layouts in place of a registry.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use super::peer::{MANIFEST, PAR_CONFIG, PAR_LAYER};
use super::{digest, pack, par, push, small, text};
use crate::support::{Environment, Registry, ended};

const REFERENCE: &str = "oci-layout://layout:1.0.0";
const TAG: &str = "org.opencontainers.image.ref.name";

fn index(environment: &Environment) -> Value {
    serde_json::from_slice(&fs::read(environment.path("layout/index.json")).unwrap()).unwrap()
}

fn blob(environment: &Environment, digest: &str) -> Vec<u8> {
    let name = digest.strip_prefix("sha256:").unwrap();
    fs::read(environment.path(&format!("layout/blobs/sha256/{name}"))).unwrap()
}

/// Returns the tags in the index, sorted.
fn tags(environment: &Environment) -> Vec<String> {
    let index = index(environment);
    let entries = index["manifests"].as_array().unwrap();
    let tags = entries
        .iter()
        .filter_map(|entry| entry["annotations"][TAG].as_str());
    let mut tags: Vec<String> = tags.map(str::to_owned).collect();
    tags.sort();
    tags
}

#[test]
fn a_pushed_layout_follows_the_specification() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let manifest = push(&environment, REFERENCE, &file);

    let marker = fs::read(environment.path("layout/oci-layout")).unwrap();
    let marker: Value = serde_json::from_slice(&marker).unwrap();
    assert_eq!(marker, json!({ "imageLayoutVersion": "1.0.0" }));
    let index = index(&environment);
    assert_eq!(index["schemaVersion"], 2);
    let bytes = blob(&environment, &manifest);
    let entry = json!({
        "mediaType": MANIFEST,
        "digest": manifest,
        "size": bytes.len(),
        "annotations": { TAG: "1.0.0" },
    });
    assert_eq!(index["manifests"], json!([entry]));

    let parsed: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(parsed["config"]["mediaType"], PAR_CONFIG);
    assert_eq!(
        blob(&environment, parsed["config"]["digest"].as_str().unwrap()),
        b"{}"
    );
    assert_eq!(parsed["layers"][0]["mediaType"], PAR_LAYER);
    assert_eq!(parsed["layers"][0]["digest"], digest(&file));
    assert_eq!(blob(&environment, &digest(&file)), fs::read(&file).unwrap());
    let files = environment.files();
    let layout = files.iter().filter(|file| file.starts_with("work/layout/"));
    assert_eq!(layout.count(), 5, "{files:?}");
}

#[test]
fn every_command_that_reads_a_reference_reads_a_layout() {
    let environment = Environment::new();
    let file = pack(&environment, "provider.par.gz", Path::new("/bin/echo"));
    let manifest = push(&environment, REFERENCE, &file);
    let pinned = format!("oci-layout://layout@{manifest}");
    let both = format!("{REFERENCE}@{manifest}");
    for reference in [REFERENCE, &pinned, &both] {
        let pulled = par(&environment, ["pull", reference]).success();
        assert_eq!(pulled.line(), "layout.par.gz");
        assert_eq!(digest(&environment.path(pulled.line())), digest(&file));
        par(&environment, ["inspect", reference]).success();
        par(&environment, ["verify", reference]).success();
        let extracted = par(&environment, ["extract", reference]).success();
        let fetched = par(&environment, ["fetch", reference]).success();
        for path in [
            &environment.path(extracted.line()),
            Path::new(fetched.line()),
        ] {
            assert_eq!(digest(path), digest(Path::new("/bin/echo")));
        }
    }
}

#[test]
fn a_layout_and_a_registry_give_the_same_digest() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let there = push(&environment, &registry.reference("provider:1.0.0"), &file);
    let layout = "oci-layout://provider:1.0.0";
    assert_eq!(push(&environment, layout, &file), there);
}

#[test]
fn entries_and_annotations_of_other_tools_stay_in_a_layout() {
    let environment = Environment::new();
    environment.write("layout/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    let foreign = json!({
        "mediaType": MANIFEST,
        "digest": format!("sha256:{}", "a".repeat(64)),
        "size": 5,
        "platform": { "os": "linux", "architecture": "amd64" },
        "annotations": { TAG: "theirs", "vendor.example": "kept" },
    });
    let before = json!({
        "schemaVersion": 2,
        "manifests": [foreign],
        "annotations": { "vendor.example": "kept too" },
    });
    environment.write("layout/index.json", before.to_string());

    push(
        &environment,
        REFERENCE,
        &small(&environment, "provider.par"),
    );

    let after = index(&environment);
    assert_eq!(after["manifests"][0], foreign);
    assert_eq!(after["annotations"], before["annotations"]);
    assert_eq!(tags(&environment), ["1.0.0", "theirs"]);
}

#[test]
fn a_manifest_that_loses_its_tag_is_still_found_by_digest() {
    let environment = Environment::new();
    let [old, new] = ["old.par", "new.par"].map(|name| small(&environment, name));
    let first = push(&environment, REFERENCE, &old);
    let second = push(&environment, REFERENCE, &new);
    assert_eq!(tags(&environment), ["1.0.0"]);
    for (reference, file) in [
        (REFERENCE.to_owned(), &new),
        (format!("oci-layout://layout@{second}"), &new),
        (format!("oci-layout://layout@{first}"), &old),
    ] {
        par(
            &environment,
            ["pull", &reference, "--destination", "pulled"],
        )
        .success();
        assert_eq!(digest(&environment.path("pulled")), digest(file));
    }
}

#[test]
fn concurrent_pushes_into_one_layout_keep_all_tags() {
    let environment = Environment::new();
    let names = ["a", "b", "c", "d", "e", "f"];
    let processes = names.map(|name| {
        let file = small(&environment, &format!("{name}.par"));
        let mut command = environment.command();
        command.args(["push", &format!("oci-layout://layout:{name}"), text(&file)]);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    });
    for process in processes {
        let output = ended(process);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    assert_eq!(tags(&environment), names);
    for name in names {
        let reference = format!("oci-layout://layout:{name}");
        par(
            &environment,
            ["pull", &reference, "--destination", "pulled"],
        )
        .success();
        let made = environment.path(&format!("{name}.par"));
        assert_eq!(digest(&environment.path("pulled")), digest(&made));
    }
}

#[test]
fn a_missing_layout_or_tag_is_not_found() {
    let environment = Environment::new();
    for command in ["pull", "fetch", "inspect", "verify", "extract"] {
        let outcome = par(&environment, [command, REFERENCE]).exit(3);
        assert!(outcome.stderr.contains("layout"), "{outcome}");
    }
    assert!(
        !environment.path("layout").exists(),
        "reading creates a layout"
    );
    push(
        &environment,
        REFERENCE,
        &small(&environment, "provider.par"),
    );
    par(&environment, ["pull", "oci-layout://layout:2.0.0"]).exit(3);
    let never = format!("oci-layout://layout@sha256:{}", "0".repeat(64));
    par(&environment, ["pull", &never]).exit(3);
}

#[test]
fn a_directory_with_other_files_does_not_become_a_layout() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    environment.write("layout/precious", "mine");
    par(&environment, ["push", REFERENCE, text(&file)]).exit(2);
    let files = environment.files();
    let layout: Vec<_> = files
        .iter()
        .filter(|file| file.starts_with("work/layout"))
        .collect();
    assert_eq!(layout, ["work/layout/precious"]);
}

#[test]
fn a_damaged_blob_in_a_layout_is_not_used() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    push(&environment, REFERENCE, &file);
    let name = digest(&file).replace("sha256:", "layout/blobs/sha256/");
    for size in [fs::metadata(&file).unwrap().len(), 100] {
        environment.write(&name, vec![0; usize::try_from(size).unwrap()]);
        par(&environment, ["pull", REFERENCE, "--destination", "pulled"]).exit(5);
        assert!(!environment.path("pulled").exists());
    }
}
