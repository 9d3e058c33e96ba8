//! Attachments in image layouts in files: `oci-archive://FILE.tar`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{KIND, OTHER, Setup, archive, attach, digests};
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, Registry};
use crate::transfer::{par, push as push_archive, text};

const REFERENCE: &str = "oci-archive://layout.tar:1.0.0";
const BILL: &str = "application/vnd.cyclonedx+json";

#[track_caller]
fn discover(environment: &Environment, reference: &str) -> Value {
    par(environment, ["discover", reference, "-o", "json"])
        .success()
        .json()
}

/// Returns the names of the tars and of the files that are left beside them.
fn tars(environment: &Environment) -> Vec<String> {
    let mut names = environment.files();
    names.retain(|name| name.contains(".tar"));
    names
}

/// Returns the time of modification of a file.
fn written(environment: &Environment, name: &str) -> std::time::SystemTime {
    let metadata = fs::metadata(environment.path(name)).unwrap();
    metadata.modified().unwrap()
}

#[track_caller]
fn run(environment: &Environment, program: &str, arguments: &[&str]) {
    let mut command = environment.command_for(Path::new(program));
    command.args(arguments);
    Outcome::of(command, b"").success();
}

/// Attaches a note and a bill to the archive, another artifact to the bill, and stores a signature of the archive under
/// a tag. Returns the digests.
fn attach_everything(setup: &Setup) -> Vec<String> {
    let note = setup.attach(&setup.reference, "note.json", KIND);
    let bill = setup.attach(&setup.reference, "bill.json", BILL);
    let below = setup.attach(&setup.pinned(&bill), "below.json", OTHER);
    let tag = format!("{}.sig", setup.digest.replace(':', "-"));
    let signature = ArchiveBuilder::two_targets().build();
    let signature = setup.environment.write("signature.par", signature);
    let tagged = setup.registry.reference(&format!("org/provider:{tag}"));
    let signature = push_archive(&setup.environment, &tagged, &signature);
    vec![note, bill, below, signature]
}

#[test]
fn attachments_are_copied_through_a_file_and_a_directory_to_another_registry() {
    let setup = Setup::new();
    let environment = &setup.environment;
    let mut expected = attach_everything(&setup);
    expected.sort();
    let there = Registry::start();
    let last = there.reference("mirror/provider:1");
    let places = [
        setup.reference.as_str(),
        REFERENCE,
        "oci-layout://layout:carried",
        &last,
    ];
    for pair in places.windows(2) {
        let [from, to] = pair else { unreachable!() };
        let copy = ["copy", from, to, "-o", "json"];
        let copied = par(environment, copy).success().json();
        assert_eq!(copied["digest"], setup.digest);
        assert_eq!(copied["referrers"], 3, "{copied}");
        assert_eq!(copied["attached_tags"], 1, "{copied}");
        let found = discover(environment, to);
        assert_eq!(found["complete"], true, "{found}");
        let mut found = digests(&found);
        found.sort();
        assert_eq!(found, expected, "{to}");
    }
    // The attachment of the bill is still attached to the bill.
    let found = discover(environment, &last);
    let all = found["attached"].as_array().unwrap();
    let bill = all.iter().find(|found| found["artifact_type"] == BILL);
    assert_eq!(bill.unwrap()["attached"][0]["artifact_type"], OTHER);

    // A second run writes no file and sends no blob.
    let (file, requests) = (written(environment, "layout.tar"), there.requests().len());
    for pair in places.windows(2) {
        let [from, to] = pair else { unreachable!() };
        par(environment, ["copy", from, to]).success();
    }
    assert_eq!(written(environment, "layout.tar"), file);
    let again = there.requests().split_off(requests);
    let uploads = again.iter().filter(|line| line.contains("/uploads/"));
    assert_eq!(uploads.count(), 0, "{again:?}");
    assert_eq!(tars(environment), ["work/layout.tar"]);

    // A reference without a name finds the archive: attachments do not count as images of the file.
    let resolved = par(environment, ["resolve", "oci-archive://layout.tar"]).success();
    assert!(resolved.line().ends_with(&setup.digest), "{resolved}");
    let tags = par(environment, ["tags", "oci-archive://layout.tar"]).success();
    assert_eq!(tags.stdout, "1.0.0\n");
    run(
        environment,
        "skopeo",
        &["inspect", "--raw", "oci-archive:layout.tar:1.0.0"],
    );

    // Without referrers, only the archive is copied.
    let without = [
        "copy",
        REFERENCE,
        "oci-archive://bare.tar:1",
        "--without-referrers",
    ];
    par(environment, without).success();
    assert_eq!(
        digests(&discover(environment, "oci-archive://bare.tar:1")),
        [""; 0]
    );
}

#[test]
fn two_files_with_the_same_attachments_are_the_same_bytes() {
    let setup = Setup::new();
    attach_everything(&setup);
    let names = ["one.tar", "two.tar"];
    for name in names {
        let to = format!("oci-archive://{name}:1");
        par(&setup.environment, ["copy", &setup.reference, &to]).success();
    }
    let [one, two] = names.map(|name| fs::read(setup.environment.path(name)).unwrap());
    assert!(one == two);
}

#[test]
fn content_is_attached_in_a_file_and_found_there() {
    let environment = Environment::new();
    let digest = push_archive(&environment, REFERENCE, &archive(&environment));
    let note = environment.write("note.json", "{\"a\":1}\n");
    let attached = attach(&environment, REFERENCE, &note, KIND);
    let before = written(&environment, "layout.tar");
    let again = [
        "attach",
        REFERENCE,
        text(&note),
        "--type",
        KIND,
        "-o",
        "json",
    ];
    let again = par(&environment, again).success().json();
    assert_eq!(
        (&again["existed"], &again["digest"]),
        (&json!(true), &json!(attached))
    );
    let dry = [
        "attach",
        REFERENCE,
        text(&note),
        "--type",
        OTHER,
        "--dry-run",
    ];
    par(&environment, dry).success();
    assert_eq!(written(&environment, "layout.tar"), before);

    // The second attachment is added to the list in the file.
    let other = attach(&environment, REFERENCE, &note, OTHER);
    let below = format!("oci-archive://layout.tar@{other}");
    let below = attach(&environment, &below, &note, KIND);
    let pinned = format!("oci-archive://layout.tar@{digest}");
    for reference in [REFERENCE, "oci-archive://layout.tar", &pinned] {
        let found = discover(&environment, reference);
        assert_eq!(
            digests(&found),
            [attached.clone(), other.clone(), below.clone()]
        );
        let got = ["discover", reference, "--get", &attached];
        assert_eq!(par(&environment, got).success().stdout, "{\"a\":1}\n");
        let inspected = par(&environment, ["inspect", reference]).success();
        assert!(inspected.stdout.contains(KIND), "{inspected}");
    }
    let removed = ["delete", "--tag", REFERENCE, "--force"];
    par(&environment, removed).success();
    assert_eq!(digests(&discover(&environment, &pinned)).len(), 3);
    assert_eq!(tars(&environment), ["work/layout.tar"]);
}

#[test]
fn a_push_to_a_file_attaches_the_files_of_its_options() {
    let environment = Environment::new();
    let file = archive(&environment);
    environment.write("note.json", "{}");
    environment.write("other", "other");
    let note = format!("note.json={KIND}");
    let other = format!("other={OTHER}");
    let push = [
        "push",
        REFERENCE,
        text(&file),
        "--attach",
        &note,
        "--attach",
        &other,
    ];
    let push = |more: &[&str]| {
        let told = environment.par([&push[..], &["-o", "json"], more].concat());
        told.success().json()
    };
    let dry = push(&["--dry-run"]);
    assert_eq!(tars(&environment), [""; 0]);
    let pushed = push(&[]);
    assert_eq!(pushed["attached"], dry["attached"]);
    let found = discover(&environment, REFERENCE);
    let mut told: Vec<_> = pushed["attached"].as_array().unwrap().iter().collect();
    told.sort_by_key(|attached| attached["digest"].as_str());
    let told: Vec<_> = told
        .iter()
        .map(|attached| attached["digest"].clone())
        .collect();
    assert_eq!(json!(digests(&found)), json!(told));
    let before = written(&environment, "layout.tar");
    for more in [&[][..], &["--dry-run"]] {
        let again = push(more);
        let existed = again["attached"].as_array().unwrap().iter();
        assert!(
            existed.clone().all(|attached| attached["existed"] == true),
            "{again}"
        );
    }
    assert_eq!(written(&environment, "layout.tar"), before);
    assert_eq!(tars(&environment), ["work/layout.tar"]);
}

#[test]
fn referrers_without_a_name_in_the_index_are_found_in_a_file_and_more_can_be_attached() {
    let environment = Environment::new();
    push_archive(
        &environment,
        "oci-layout://layout:1.0.0",
        &archive(&environment),
    );
    let note = environment.write("note.json", "{}");
    let attached = attach(&environment, "oci-layout://layout:1.0.0", &note, KIND);
    // ORAS lists a referrer in the index of the layout, and writes no list.
    let path = environment.path("layout/index.json");
    let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let size =
        fs::metadata(environment.path(&format!("layout/blobs/{}", attached.replace(':', "/"))));
    let entry = json!({
        "mediaType": crate::transfer::peer::MANIFEST,
        "digest": attached,
        "size": size.unwrap().len(),
    });
    let entries = index["manifests"].as_array_mut().unwrap();
    assert_eq!(entries.len(), 2);
    entries[1] = entry;
    fs::write(&path, index.to_string()).unwrap();
    run(
        &environment,
        "tar",
        &["-C", "layout", "-cf", "layout.tar", "."],
    );
    for reference in [REFERENCE, "oci-archive://layout.tar"] {
        assert_eq!(
            digests(&discover(&environment, reference)),
            std::slice::from_ref(&attached)
        );
    }
    let other = attach(&environment, "oci-archive://layout.tar", &note, OTHER);
    let mut expected = [attached, other];
    expected.sort();
    let mut found = digests(&discover(&environment, REFERENCE));
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn an_image_that_replaces_the_file_of_its_archive_has_no_subject() {
    let environment = Environment::new();
    push_archive(&environment, REFERENCE, &archive(&environment));
    par(
        &environment,
        ["export", REFERENCE, "oci-archive://layout.tar"],
    )
    .success();
    let raw = ["inspect", "--raw", "oci-archive:layout.tar"];
    let mut skopeo = environment.command_for(Path::new("skopeo"));
    skopeo.args(raw);
    let index: Value = serde_json::from_str(&Outcome::of(skopeo, b"").success().stdout).unwrap();
    assert_eq!(index["subject"], Value::Null);
    assert!(
        index["annotations"]["com.wasmcloud.par.archive"].is_string(),
        "{index}"
    );
}
