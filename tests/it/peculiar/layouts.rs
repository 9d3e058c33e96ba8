//! Image layouts of other tools.

use std::fs;

use serde_json::{Value, json};
use wasmcloud_par::content::Digest;

use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, shared_registry, unique};
use crate::transfer::{digest, par, push};

const TAG: &str = "org.opencontainers.image.ref.name";
const CONTAINERD: &str = "io.containerd.image.name";

/// A layout with two manifests, of which only the digests are known.
struct Layout {
    environment: Environment,
    digests: [String; 2],
    files: [String; 2],
}

impl Layout {
    fn new() -> Self {
        let environment = Environment::new();
        let files = ["one.par", "two.par"]
            .map(|name| environment.write(name, ArchiveBuilder::two_targets().published().build()));
        let digests = [0, 1].map(|number| {
            push(
                &environment,
                &format!("oci-layout://layout:{number}"),
                &files[number],
            )
        });
        let files = files.map(|file| digest(&file));
        Self {
            environment,
            digests,
            files,
        }
    }

    /// Writes an index with these entries. Each is a manifest, by its number, and the annotations.
    fn index(&self, entries: &[(usize, Value)]) {
        let entries = entries.iter().map(|(number, annotations)| {
            let digest = &self.digests[*number];
            let name = digest.replace("sha256:", "layout/blobs/sha256/");
            json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": digest,
                "size": fs::metadata(self.environment.path(&name)).unwrap().len(),
                "annotations": annotations,
            })
        });
        let entries: Vec<Value> = entries.collect();
        let index = json!({"schemaVersion": 2, "manifests": entries});
        self.environment
            .write("layout/index.json", index.to_string());
    }

    /// Asserts that the reference stands for a manifest, by its number.
    #[track_caller]
    fn is(&self, reference: &str, number: usize) {
        let resolved = par(&self.environment, ["resolve", reference]).success();
        let expected = format!("oci-layout://layout@{}", self.digests[number]);
        assert_eq!(resolved.line(), expected, "{reference}");
        par(
            &self.environment,
            ["pull", reference, "--destination", "pulled"],
        )
        .success();
        assert_eq!(digest(&self.environment.path("pulled")), self.files[number]);
        par(&self.environment, ["inspect", reference]).success();
        par(&self.environment, ["verify", reference]).success();
        par(
            &self.environment,
            ["copy", reference, "oci-layout://copy:1"],
        )
        .success();
    }

    /// Asserts that the reference stands for several manifests, whose digests the error lists.
    #[track_caller]
    fn is_ambiguous(&self, reference: &str) {
        for command in ["resolve", "pull", "verify"] {
            let refused = par(&self.environment, [command, reference]).exit(2);
            for digest in &self.digests {
                assert!(refused.stderr.contains(digest), "{refused}");
            }
            assert!(refused.stderr.contains("hint: "), "{refused}");
        }
    }
}

#[test]
fn without_a_name_the_only_manifest_of_a_layout_is_meant() {
    let layout = Layout::new();
    for annotations in [
        json!({}),
        json!(null),
        json!({"other": "x"}),
        json!({TAG: "1.0"}),
    ] {
        layout.index(&[(1, annotations)]);
        layout.is("oci-layout://layout", 1);
    }
    layout.index(&[(1, json!(null)), (1, json!({TAG: "again"}))]);
    layout.is("oci-layout://layout", 1);
    layout.index(&[(0, json!(null)), (1, json!({TAG: "1.0"}))]);
    layout.is_ambiguous("oci-layout://layout");
    layout.index(&[]);
    let empty = par(&layout.environment, ["pull", "oci-layout://layout"]).exit(3);
    assert!(empty.stderr.contains("lists none"), "{empty}");
    // The reference of a deployment may lack a name too.
    layout.index(&[(0, json!(null))]);
    layout
        .environment
        .write("deployment.txt", "oci-layout://layout\n");
    par(&layout.environment, ["lock", "deployment.txt"]).success();
    let target = ["--target", "x86_64-linux", "--locked"];
    let fetch = ["fetch", "oci-layout://layout"].into_iter().chain(target);
    layout.environment.par(fetch).success();
    // A push needs a name.
    let unnamed = ["push", "oci-layout://layout", "one.par"];
    par(&layout.environment, unnamed).exit(2);
}

#[test]
fn a_manifest_is_found_by_a_whole_reference_and_by_the_tag_in_it() {
    let layout = Layout::new();
    let both = ["ghcr.io/org/x:1.0", "localhost:5000/y:2.0"];
    layout.index(&[(0, json!({TAG: both[0]})), (1, json!({TAG: both[1]}))]);
    for (number, whole) in both.iter().enumerate() {
        layout.is(&format!("oci-layout://layout:{whole}"), number);
        let tag = whole.rsplit(':').next().unwrap();
        layout.is(&format!("oci-layout://layout:{tag}"), number);
    }
    let tags = par(&layout.environment, ["tags", "oci-layout://layout"]).success();
    assert_eq!(tags.stdout, both.join("\n") + "\n");
    let missing = par(&layout.environment, ["pull", "oci-layout://layout:3.0"]).exit(3);
    assert!(missing.stderr.contains("ghcr.io/org/x:1.0"), "{missing}");

    layout.index(&[
        (0, json!({TAG: "1.0", CONTAINERD: "docker.io/org/x:1.0"})),
        (1, json!({CONTAINERD: "docker.io/org/y:1.1"})),
    ]);
    layout.is("oci-layout://layout:docker.io/org/x:1.0", 0);
    layout.is("oci-layout://layout:1.0", 0);
    layout.is("oci-layout://layout:docker.io/org/y:1.1", 1);
    layout.is("oci-layout://layout:1.1", 1);

    // The digest at the end of a reference is not part of the name.
    let exact = format!("ghcr.io/org/x:1.0@{}", layout.digests[0]);
    let untagged = format!("ghcr.io/org/y@{}", layout.digests[1]);
    layout.index(&[(0, json!({TAG: exact})), (1, json!({TAG: untagged}))]);
    layout.is("oci-layout://layout:1.0", 0);
    layout.is("oci-layout://layout:ghcr.io/org/x:1.0", 0);
    layout.is("oci-layout://layout:ghcr.io/org/y", 1);
    let tags = par(&layout.environment, ["tags", "oci-layout://layout"]).success();
    assert_eq!(tags.stdout, "ghcr.io/org/x:1.0\nghcr.io/org/y\n");

    // A name is preferred to the tag inside a whole reference.
    layout.index(&[(0, json!({TAG: "x/y:1.0"})), (1, json!({TAG: "1.0"}))]);
    layout.is("oci-layout://layout:1.0", 1);
}

#[test]
fn the_error_about_a_name_of_two_manifests_lists_both() {
    let layout = Layout::new();
    layout.index(&[(0, json!({TAG: "1.0"})), (1, json!({TAG: "1.0"}))]);
    layout.is_ambiguous("oci-layout://layout:1.0");
    layout.index(&[
        (0, json!({TAG: "a.io/x:1.0"})),
        (1, json!({TAG: "a.io/y:1.0"})),
    ]);
    layout.is_ambiguous("oci-layout://layout:1.0");
    layout.is("oci-layout://layout:a.io/y:1.0", 1);
    layout.index(&[(0, json!({TAG: "1.0"})), (0, json!({TAG: "1.0"}))]);
    layout.is("oci-layout://layout:1.0", 0);
}

#[test]
fn a_name_with_slashes_is_a_name_and_not_a_directory() {
    let layout = Layout::new();
    let environment = &layout.environment;
    for name in ["org/name:1.0", "ghcr.io/org/name:1.0", "redis:7"] {
        let reference = format!("oci-layout://fresh:{name}");
        par(environment, ["push", &reference, "one.par"]).success();
        for action in ["pull", "fetch", "inspect"] {
            let target = ["--target", "x86_64-linux"];
            let arguments = [action, reference.as_str()].into_iter();
            let more = target.into_iter().filter(|_| action == "fetch");
            environment.par(arguments.chain(more)).success();
        }
        assert!(environment.path("fresh/index.json").exists(), "{name}");
    }
    let made = fs::read_dir(environment.path("")).unwrap();
    let made = made.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(made.into_iter().all(|name| !name.contains(':')));
    // If the directory exists, the whole text is its name.
    fs::create_dir(environment.path("build-12:30")).unwrap();
    let reference = "oci-layout://build-12:30/layout:1.0";
    par(environment, ["push", reference, "one.par"]).success();
    assert!(environment.path("build-12:30/layout/index.json").exists());
    par(environment, ["verify", reference]).success();
    // The cache lists the name as it was written.
    let listed = par(environment, ["cache", "list"]).success();
    assert!(
        listed.stdout.contains("fresh:ghcr.io/org/name:1.0"),
        "{listed}"
    );
}

#[test]
fn null_is_an_empty_list() {
    let layout = Layout::new();
    let environment = &layout.environment;
    for index in [
        r#"{"schemaVersion":2,"manifests":null,"annotations":null}"#,
        r#"{"schemaVersion":2}"#,
    ] {
        environment.write("layout/index.json", index);
        let tags = par(environment, ["tags", "oci-layout://layout"]).success();
        assert_eq!(tags.stdout, "");
        par(environment, ["pull", "oci-layout://layout:1.0"]).exit(3);
        par(environment, ["push", "oci-layout://layout:1.0", "one.par"]).success();
        layout.is("oci-layout://layout:1.0", 0);
    }
    // An index and a manifest with `null` keep their bytes.
    let manifest = layout.digests[0].replace("sha256:", "layout/blobs/sha256/");
    let manifest = fs::read(environment.path(&manifest)).unwrap();
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    manifest["annotations"] = Value::Null;
    manifest["subject"] = Value::Null;
    let manifest = manifest.to_string();
    let index = r#"{ "schemaVersion": 2, "manifests": null, "annotations": null }"#;
    for (bytes, kind) in [(manifest.as_str(), "manifest"), (index, "index")] {
        let named = Digest::of(bytes.as_bytes()).to_string();
        let path = named.replace("sha256:", "layout/blobs/sha256/");
        environment.write(&path, bytes);
        let entry = json!({
            "mediaType": format!("application/vnd.oci.image.{kind}.v1+json"),
            "digest": named,
            "size": bytes.len(),
            "annotations": null,
        });
        let entries = json!({"schemaVersion": 2, "manifests": [entry]});
        environment.write("layout/index.json", entries.to_string());
        let there = format!("{}/{}:1", shared_registry(), unique("null"));
        for destination in [there.as_str(), "oci-layout://copied:1"] {
            par(environment, ["copy", "oci-layout://layout", destination]).success();
            let resolved = par(environment, ["resolve", destination]).success();
            assert!(resolved.line().ends_with(&named), "{resolved}");
        }
        let copied = fs::read(environment.path(&path.replace("layout/", "copied/"))).unwrap();
        assert_eq!(copied, bytes.as_bytes());
    }
    // An index without manifests has none for any target.
    let none = par(environment, ["pull", "oci-layout://copied:1"]).exit(3);
    assert!(none.stderr.contains("it has none"), "{none}");
}

#[test]
fn files_of_a_layout_may_have_a_byte_order_mark_and_a_later_version() {
    let layout = Layout::new();
    for name in ["layout/index.json", "layout/oci-layout"] {
        let text = fs::read_to_string(layout.environment.path(name)).unwrap();
        layout
            .environment
            .write(name, format!("\u{feff}{text}\r\n"));
    }
    layout.is("oci-layout://layout:1", 1);
    let marker = r#"{"imageLayoutVersion":"1.1.0"}"#;
    layout.environment.write("layout/oci-layout", marker);
    layout.is("oci-layout://layout:0", 0);
    for (marker, reason) in [
        (
            r#"{"imageLayoutVersion":"2.0.0"}"#,
            "its `imageLayoutVersion` is not 1.0.0",
        ),
        ("", "it is not JSON"),
        (r#"{"imageLayoutVersion":"#, "it is not JSON"),
    ] {
        layout.environment.write("layout/oci-layout", marker);
        let refused = par(&layout.environment, ["pull", "oci-layout://layout:0"]).exit(5);
        assert!(refused.stderr.contains(reason), "{refused}");
    }
}

#[test]
fn a_name_that_does_not_move_leaves_the_index_as_it_is() {
    let layout = Layout::new();
    layout.index(&[(0, json!({TAG: "1.0"}))]);
    let path = layout.environment.path("layout/index.json");
    let index = format!("{} \n\n", fs::read_to_string(&path).unwrap());
    fs::write(&path, &index).unwrap();
    par(
        &layout.environment,
        ["push", "oci-layout://layout:1.0", "one.par"],
    )
    .success();
    assert_eq!(fs::read_to_string(&path).unwrap(), index);
}

#[test]
fn entries_and_fields_of_other_tools_keep_their_bytes() {
    let layout = Layout::new();
    let entry =
        r#"{ "size": 1.0e2, "digest" : "sha256:other", "z": [ ], "a": 12345678901234567890123 }"#;
    let index =
        format!("{{\"zone\": {{ \"b\": 1,\"a\": \"\\u0041\" }},\n \"manifests\": [ {entry} ]}}\n");
    layout.environment.write("layout/index.json", &index);
    par(
        &layout.environment,
        ["push", "oci-layout://layout:1.0", "one.par"],
    )
    .success();
    let written = fs::read_to_string(layout.environment.path("layout/index.json")).unwrap();
    assert!(written.contains(entry), "{written}");
    assert!(
        written.contains(r#""zone":{ "b": 1,"a": "\u0041" }"#),
        "{written}"
    );
    layout.is("oci-layout://layout:1.0", 0);
}
