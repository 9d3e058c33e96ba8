//! `par attach`

use std::fs;

use serde_json::json;

use super::{KIND, OTHER, Setup, archive, attach, digest_of, digests};
use crate::hosts::configure;
use crate::support::{Environment, Outcome, Registry};
use crate::transfer::{par, push as push_archive, text};

const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

#[test]
fn an_attachment_is_a_manifest_with_a_subject_as_oras_writes_it() {
    let setup = Setup::new();
    let file = setup.environment.write("note.json", "{}\n");
    let arguments = ["attach", &setup.reference, text(&file), "--type", KIND];
    let more = ["-a", "org.example.by=alice", "--created", "0", "-o", "json"];
    let told = setup.environment.par([&arguments[..], &more].concat());
    let told = told.success().json();
    assert_eq!(told["subject"], setup.digest);
    assert_eq!(told["existed"], false);
    let manifest = setup.manifest(told["digest"].as_str().unwrap());
    assert_eq!(manifest["artifactType"], KIND);
    assert_eq!(manifest["subject"]["digest"], setup.digest);
    assert_eq!(manifest["config"]["digest"], EMPTY);
    assert_eq!(manifest["config"]["data"], "e30=");
    let annotations = json!({
        "org.example.by": "alice",
        "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
    });
    assert_eq!(manifest["annotations"], annotations);
    let layer = &manifest["layers"][0];
    assert_eq!(layer["digest"], told["content"]);
    assert_eq!(layer["mediaType"], KIND);
    assert_eq!(
        layer["annotations"]["org.opencontainers.image.title"],
        "note.json"
    );
    let content = setup.registry.blob(told["content"].as_str().unwrap());
    assert_eq!(fs::read(content).unwrap(), b"{}\n");
}

#[test]
fn the_same_file_attached_twice_is_one_attachment() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let layout = "oci-layout://layout:1.0.0".to_owned();
    for reference in [registry.reference("provider:1.0.0"), layout] {
        push_archive(&environment, &reference, &archive(&environment));
        let file = environment.write("note.json", "{}\n");
        let attaching = |more: &[&str]| {
            let arguments = [
                "attach",
                &reference,
                text(&file),
                "--type",
                KIND,
                "-o",
                "json",
            ];
            environment
                .par([&arguments[..], more].concat())
                .success()
                .json()
        };
        let first = attaching(&[]);
        // The first attachment has the time of the clock.
        let again = attaching(&["--created", "0"]);
        assert_eq!(again["digest"], first["digest"], "{reference}");
        assert_eq!([&first["existed"], &again["existed"]], [false, true]);
        let others = [
            attaching(&["-a", "org.example.by=alice"]),
            attaching(&["--media-type", "text/plain"]),
        ];
        assert!(
            others.iter().all(|other| other["existed"] == false),
            "{others:?}"
        );
        let note = environment.write("other.json", "{}\n");
        let renamed = attach(&environment, &reference, &note, KIND);
        let other = attach(&environment, &reference, &file, OTHER);
        let found = par(&environment, ["discover", &reference, "-o", "json"])
            .success()
            .json();
        let mut found = digests(&found);
        let told = others
            .iter()
            .chain([&first])
            .map(|told| told["digest"].as_str().unwrap());
        let mut expected: Vec<String> = told.map(str::to_owned).chain([renamed, other]).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{reference}");
    }
}

#[test]
fn a_dry_run_prints_the_reference_and_sends_nothing() {
    let setup = Setup::new();
    let file = setup.environment.write("note.json", "{}\n");
    let run = |more: &[&str]| {
        let arguments = ["attach", &setup.reference, text(&file), "--type", KIND];
        let arguments = [&arguments[..], &["--created", "7"], more].concat();
        setup.environment.par(arguments).success()
    };
    let before = setup.registry.requests().len();
    let dry = run(&["--dry-run"]);
    let requests = setup.registry.requests().split_off(before);
    let reads = |request: &String| request.starts_with("GET ") || request.starts_with("HEAD ");
    assert!(requests.iter().all(reads), "{requests:?}");
    assert!(dry.stderr.contains("dry run"), "{dry}");
    let made = run(&[]);
    assert_eq!(made.line(), dry.line());
    assert!(run(&["--dry-run"]).stderr.contains("already"), "{made}");
}

#[test]
fn standard_input_is_attached_without_a_name() {
    let setup = Setup::new();
    let mut command = setup.environment.command();
    command.args(["attach", &setup.reference, "-", "--type", OTHER]);
    let digest = digest_of(&Outcome::of(command, b"\x00\x01").success());
    let layer = &setup.manifest(&digest)["layers"][0];
    assert_eq!(layer["mediaType"], "application/octet-stream");
    assert!(layer.get("annotations").is_none(), "{layer}");
    assert_eq!(layer["size"], 2);
    let left = setup.environment.files();
    assert!(
        left.iter().all(|file| !file.starts_with("tmp/")),
        "{left:?}"
    );
}

#[test]
fn content_is_attached_to_attachments_and_by_digest() {
    let setup = Setup::new();
    let note = setup.attach(&setup.pinned(&setup.digest), "note.json", KIND);
    let signature = setup.attach(&setup.pinned(&note), "signature", OTHER);
    assert_eq!(setup.manifest(&signature)["subject"]["digest"], note);
    assert_eq!(digests(&setup.discover(&[])), [note, signature]);
}

#[test]
fn each_impossible_attachment_is_an_error_with_its_own_exit_code() {
    let setup = Setup::new();
    let environment = &setup.environment;
    environment.write("note.json", "{}");
    let run = |reference: &str, file: &str, kind: &str| {
        par(environment, ["attach", reference, file, "--type", kind])
    };
    let missing = setup.registry.reference("org/provider:9.9.9");
    run(&missing, "note.json", KIND).exit(3);
    run(&setup.reference, "missing.json", KIND).exit(3);
    run("oci-layout://none:1", "note.json", KIND).exit(3);
    run(&setup.registry.reference("org/provider"), "note.json", KIND).exit(2);
    let wrong = run(&setup.reference, "note.json", "sbom").exit(2);
    assert!(
        wrong.stderr.contains("`sbom` is not a media type"),
        "{wrong}"
    );
    assert!(wrong.stderr.contains("hint: "), "{wrong}");
    let twice = ["-a", "a=b", "-a", "a=c"];
    let arguments = ["attach", &setup.reference, "note.json", "--type", KIND];
    environment.par([&arguments[..], &twice].concat()).exit(2);

    let storage = setup.registry.storage();
    let builders = [
        Registry::builder().read_only(),
        Registry::builder().htpasswd("tester", "password"),
    ];
    for builder in builders {
        let registry = builder.storage(storage).start();
        let reference = registry.reference("org/provider:1.0.0");
        let denied = run(&reference, "note.json", KIND).exit(4);
        assert!(denied.stderr.contains("hint: "), "{denied}");
    }
    assert_eq!(digests(&setup.discover(&[])), [""; 0]);
}

#[test]
fn an_empty_standard_input_is_refused() {
    let setup = Setup::new();
    let attach = ["attach", &setup.reference, "-", "--type", KIND];
    let told = par(&setup.environment, attach).exit(2);
    assert!(told.stderr.contains("standard input is empty"), "{told}");
    assert!(digests(&setup.discover(&[])).is_empty());
}

#[test]
fn a_mirror_is_not_asked_whether_an_attachment_exists() {
    let setup = Setup::new();
    let mirror = Registry::start();
    let mirrored = mirror.reference("org/provider:1.0.0");
    let copy = ["copy", &setup.reference, &mirrored];
    setup.environment.par(copy).success();
    setup.environment.write("note.json", "{}\n");
    let attach = |reference: &str| {
        let options = ["note.json", "--type", KIND, "--created", "0", "-o", "json"];
        let arguments = [&["attach", reference][..], &options].concat();
        setup.environment.par(arguments).success().json()
    };
    attach(&mirrored);
    let hosts = format!(
        "[host.\"http://{}\"]\ncapabilities = [\"pull\", \"resolve\", \"referrers\"]",
        mirror.address()
    );
    configure(&setup.environment, setup.registry.address(), &hosts);
    let attached = attach(&setup.reference);
    assert_eq!(attached["existed"], false);
    let manifest = attached["digest"].as_str().unwrap();
    assert!(setup.registry.blob(manifest).exists());
}
