//! `par discover`

use std::fs;

use serde_json::json;
use wasmcloud_par::content::Descriptor;

use super::{KIND, OTHER, Setup, attach, digests};
use crate::support::Environment;
use crate::support::archives::ArchiveBuilder;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::transfer::peer::{INDEX, MANIFEST};
use crate::transfer::{par, push as push_archive};

#[test]
fn the_tree_has_attachments_of_attachments_and_the_tags_of_older_tools() {
    let setup = Setup::new();
    let note = setup.attach(&setup.reference, "note.json", KIND);
    let below = setup.attach(&setup.pinned(&note), "below", OTHER);
    let tag = format!("{}.sig", setup.digest.replace(':', "-"));
    let other = ArchiveBuilder::two_targets().build();
    let other = setup.environment.write("other.par", other);
    let tagged = setup.registry.reference(&format!("org/provider:{tag}"));
    let tagged = push_archive(&setup.environment, &tagged, &other);

    let told = par(&setup.environment, ["discover", &setup.reference]).success();
    let lines: Vec<&str> = told.stdout.lines().collect();
    let [root, first, second, third] = lines.as_slice() else {
        panic!("{told}");
    };
    assert_eq!(*root, setup.pinned(&setup.digest));
    assert!(
        first.starts_with(&format!("├── {note}  {KIND}  ")),
        "{first}"
    );
    assert!(first.ends_with("  note.json"), "{first}");
    assert!(
        second.starts_with(&format!("│   └── {below}  {OTHER}  ")),
        "{second}"
    );
    assert!(third.starts_with(&format!("└── {tagged}  ")), "{third}");
    assert!(third.ends_with(&format!("(tag {tag})")), "{third}");

    let found = setup.discover(&[]);
    assert_eq!(found["complete"], true);
    assert_eq!(digests(&found), [note.clone(), below.clone(), tagged]);
    let kinds = ["referrer", "tag"];
    for (attached, kind) in found["attached"].as_array().unwrap().iter().zip(kinds) {
        assert_eq!(attached["relation"], kind, "{attached}");
    }
    assert_eq!(found["attached"][0]["files"][0]["title"], "note.json");
    // With a type, the tree also has the manifests to which the matching ones are attached.
    assert_eq!(digests(&setup.discover(&["--type", OTHER])), [note, below]);
}

#[test]
fn attachments_of_the_manifests_of_an_index_are_listed() {
    let setup = Setup::new();
    let arguments = ["export", &setup.reference, "oci-layout://image:1"];
    setup.environment.par(arguments).success();
    let image = ["discover", "oci-layout://image:1", "-o", "json"];
    let found = par(&setup.environment, image).success().json();
    let children = digests(&found);
    let platform = &found["attached"][0]["platform"];
    assert!(platform.as_str().unwrap().starts_with("linux/"), "{found}");
    let child = format!("oci-layout://image@{}", children[0]);
    let file = setup.environment.write("note.json", "{}");
    let note = attach(&setup.environment, &child, &file, KIND);
    let found = par(&setup.environment, image).success().json();
    assert_eq!(digests(&found["attached"][0]), [note]);
}

#[test]
fn a_manifest_without_attachments_is_reported_and_is_not_an_error() {
    let setup = Setup::new();
    let told = par(&setup.environment, ["discover", &setup.reference]).success();
    assert_eq!(told.line(), setup.pinned(&setup.digest));
    assert!(told.stderr.contains("nothing is attached"), "{told}");
    let missing = setup.registry.reference("org/provider:9.9.9");
    par(&setup.environment, ["discover", &missing]).exit(3);
}

#[test]
fn texts_of_an_attachment_are_escaped_for_a_terminal() {
    let setup = Setup::new();
    setup.attach(&setup.reference, "evil\u{1b}[31m\u{202e}.json", KIND);
    for output in ["text", "json"] {
        let told = par(
            &setup.environment,
            ["discover", &setup.reference, "-o", output],
        )
        .success();
        assert!(told.stdout.contains("evil"), "{told}");
        assert!(!told.stdout.contains(['\u{1b}', '\u{202e}']), "{told}");
    }
}

#[test]
fn a_listed_attachment_that_was_deleted_gives_a_warning() {
    let setup = Setup::new();
    let note = setup.attach(&setup.reference, "note.json", KIND);
    let other = setup.attach(&setup.reference, "other", OTHER);
    fs::remove_file(setup.registry.blob(&note)).unwrap();
    let found = setup.discover(&[]);
    assert_eq!(digests(&found), [other]);
    let warnings = found["warnings"].to_string();
    assert!(warnings.contains(&note), "{warnings}");
}

#[test]
fn an_attachment_that_is_missing_in_a_layout_gives_a_warning_and_a_damaged_one_an_error() {
    let setup = Setup::new();
    let note = setup.attach(&setup.reference, "note.json", KIND);
    let other = setup.attach(&setup.reference, "other", OTHER);
    let layout = "oci-layout://layout:1";
    let environment = &setup.environment;
    par(environment, ["copy", &setup.reference, layout]).success();
    let blob = note.replace(':', "/");
    let blob = environment.path(&format!("layout/blobs/{blob}"));
    fs::remove_file(&blob).unwrap();
    let found = par(environment, ["discover", layout, "-o", "json"]);
    let found = found.success().json();
    assert_eq!(digests(&found), [other]);
    assert!(found["warnings"].to_string().contains(&note), "{found}");
    let copied = par(environment, ["copy", layout, "oci-layout://second:1"]).success();
    assert!(copied.stderr.contains(&note), "{copied}");
    // This content is not JSON.
    fs::write(blob, "damaged").unwrap();
    let told = par(environment, ["discover", layout]).exit(5);
    assert!(told.stderr.contains(&note), "{told}");
    let told = par(environment, ["copy", layout, "oci-layout://third:1"]).exit(5);
    assert!(told.stderr.contains(&note), "{told}");
}

#[test]
fn an_attachment_with_another_digest_is_an_error() {
    let setup = Setup::new();
    let note = setup.attach(&setup.reference, "note.json", KIND);
    let path = setup.registry.blob(&note);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace("note.json", "Note.json")).unwrap();
    par(&setup.environment, ["discover", &setup.reference]).exit(5);
}

#[test]
fn a_list_that_cannot_be_read_is_an_error_and_not_an_empty_list() {
    let setup = Setup::new();
    setup.attach(&setup.reference, "note.json", KIND);
    for (status, code) in [("403 Forbidden", 4), ("503 Service Unavailable", 6)] {
        let rule = Rule::on("GET", "/referrers/", Fault::status(status)).always();
        let proxy = Proxy::start(&setup.registry, vec![rule]);
        let reference = proxy.reference("org/provider:1.0.0");
        let arguments = ["discover", &reference, "--patience", "0"];
        par(&setup.environment, arguments).exit(code);
    }
}

#[test]
fn at_most_a_thousand_manifests_are_listed_and_a_warning_says_so() {
    let environment = Environment::new();
    let blob = |media_type: &str, content: &str| {
        let blob = Descriptor::of(media_type, content.as_bytes());
        let path = format!("layout/blobs/sha256/{}", blob.digest.hex());
        environment.write(&path, content);
        json!(blob)
    };
    let config = blob("application/vnd.oci.empty.v1+json", "{}");
    let manifest = |more: serde_json::Value| {
        let mut manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config});
        manifest["layers"] = json!([config]);
        manifest
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        blob(MANIFEST, &manifest.to_string())
    };
    let mut root = manifest(json!({}));
    let note = |number| {
        let annotations = json!({"number": number});
        manifest(json!({"artifactType": KIND, "subject": root, "annotations": annotations}))
    };
    let notes: Vec<_> = (0..1000)
        .map(|number: i32| note(number.to_string()))
        .collect();
    let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": notes});
    let mut list = blob(INDEX, &list.to_string());
    let name = |name: &str| json!({"org.opencontainers.image.ref.name": name});
    list["annotations"] = name(&root["digest"].as_str().unwrap().replace(':', "-"));
    root["annotations"] = name("1");
    let index = json!({"schemaVersion": 2, "manifests": [root, list]});
    environment.write("layout/index.json", index.to_string());
    environment.write("layout/oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#);

    let discover = ["discover", "oci-layout://layout:1", "-o", "json"];
    let found = par(&environment, discover).success().json();
    assert_eq!(found["complete"], false);
    assert_eq!(digests(&found).len(), 999);
    let warnings = found["warnings"].to_string();
    assert!(warnings.contains("more than 1000 manifests"), "{warnings}");
}
