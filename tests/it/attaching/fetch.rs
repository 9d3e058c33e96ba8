//! `par discover --get`

use std::fs;

use super::{KIND, OTHER, Setup, digests};
use crate::support::Outcome;
use crate::transfer::{par, text};

fn get(setup: &Setup, arguments: &[&str]) -> Outcome {
    let discover = ["discover", &setup.reference];
    setup.environment.par([&discover[..], arguments].concat())
}

#[test]
fn an_attachment_is_printed_byte_for_byte_or_written_to_a_file() {
    let setup = Setup::new();
    let content = "no line end \u{1b}[31m";
    let file = setup.environment.write("note.json", content);
    let note = super::attach(&setup.environment, &setup.reference, &file, KIND);
    let blob = setup.manifest(&note)["layers"][0]["digest"].clone();
    let wanted: [&[&str]; 4] = [
        &["--get", "--type", KIND],
        &["--type", KIND, "--get"],
        &["--get", &note],
        &["--get", blob.as_str().unwrap()],
    ];
    for arguments in wanted {
        let told = get(&setup, arguments).success();
        assert_eq!(told.stdout, content);
        let told = get(&setup, &[arguments, &["-o", "json"]].concat())
            .success()
            .json();
        assert_eq!(told["content"], content);
        assert_eq!(told["digest"], note);
        assert_eq!(told["content_digest"], blob);
        assert_eq!(told["title"], "note.json");
        let destination = ["--destination", "copy.json"];
        let told = get(&setup, &[arguments, &destination].concat()).success();
        assert_eq!(told.line(), "copy.json");
        let copy = setup.environment.path("copy.json");
        assert_eq!(fs::read_to_string(&copy).unwrap(), content);
        fs::remove_file(copy).unwrap();
    }
}

#[test]
fn a_type_of_several_attachments_is_an_error_that_lists_them() {
    let setup = Setup::new();
    let one = setup.attach(&setup.reference, "one.json", KIND);
    let two = setup.attach(&setup.reference, "two.json", KIND);
    let told = get(&setup, &["--get", "--type", KIND]).exit(2);
    assert!(
        told.stderr.contains(&one) && told.stderr.contains(&two),
        "{told}"
    );
    let told = get(&setup, &["--get", &two]).success();
    assert_eq!(told.stdout, "{\"name\":\"two.json\"}\n");
}

#[test]
fn attachments_with_the_same_files_count_as_one() {
    let setup = Setup::new();
    setup.attach(&setup.reference, "note.json", KIND);
    let note = setup.environment.path("note.json");
    let attach = ["attach", &setup.reference, text(&note), "--type", KIND];
    let annotated = [&attach[..], &["-a", "org.example.run=2"]].concat();
    setup.environment.par(annotated).success();
    assert_eq!(digests(&setup.discover(&[])).len(), 2);
    let told = get(&setup, &["--get", "--type", KIND]).success();
    assert_eq!(told.stdout, "{\"name\":\"note.json\"}\n");
}

#[test]
fn a_digest_of_another_type_is_an_error_that_names_both_types() {
    let setup = Setup::new();
    let note = setup.attach(&setup.reference, "note.json", KIND);
    // With a type, the tree also has the manifest to which the matching one is attached, which has another type.
    setup.attach(&setup.pinned(&note), "below", OTHER);
    let told = get(&setup, &["--get", &note, "--type", OTHER]).exit(3);
    let expected = format!("is of the type {KIND}, not {OTHER}");
    assert!(told.stderr.contains(&expected), "{told}");
    get(&setup, &["--get", &note, "--type", KIND]).success();
}

#[test]
fn a_manifest_that_is_not_attached_is_not_fetched() {
    let setup = Setup::new();
    setup.attach(&setup.reference, "note.json", KIND);
    get(&setup, &["--get", "--type", OTHER]).exit(3);
    // This manifest is in the repository, and is not attached.
    get(&setup, &["--get", &setup.digest]).exit(3);
    let told = get(&setup, &["--get"]).exit(2);
    assert!(told.stderr.contains("--type"), "{told}");
}

#[test]
fn content_that_is_not_text_is_printed_to_a_pipe_and_not_in_json() {
    let setup = Setup::new();
    let content = [0xff, 0xfe, 0, b'\n'];
    let file = setup.environment.write("note.bin", content);
    super::attach(&setup.environment, &setup.reference, &file, OTHER);
    let mut command = setup.environment.command();
    command.args(["discover", &setup.reference, "--get", "--type", OTHER]);
    let printed = command.output().unwrap();
    assert!(printed.status.success());
    assert_eq!(printed.stdout, content);
    let told = get(&setup, &["--get", "--type", OTHER, "-o", "json"]).exit(2);
    assert!(
        told.json()["error"]["hint"]
            .to_string()
            .contains("--destination")
    );
}

#[test]
fn content_that_does_not_have_its_digest_is_not_handed_out() {
    let setup = Setup::new();
    let note = setup.attach(&setup.reference, "note.json", KIND);
    let blob = setup.manifest(&note)["layers"][0]["digest"].clone();
    let path = setup.registry.blob(blob.as_str().unwrap());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace("note", "Note")).unwrap();
    let before = setup.environment.write("copy.json", "before");
    for more in [&[][..], &["--destination", "copy.json"]] {
        let told = get(&setup, &[&["--get", "--type", KIND], more].concat()).exit(5);
        assert_eq!(told.stdout, "");
    }
    assert_eq!(fs::read_to_string(before).unwrap(), "before");
    let left = setup.environment.files();
    assert!(
        left.iter().all(|file| !file.contains("copy.json.")),
        "{left:?}"
    );
}

#[test]
fn several_files_of_one_attachment_are_listed_and_each_can_be_fetched() {
    let setup = Setup::new();
    // An attachment as `oras attach` writes it for two files, and `par copy` brings it here.
    let one = setup.attach(&setup.reference, "one.json", KIND);
    let two = setup.attach(&setup.reference, "two.json", OTHER);
    let (mut manifest, other) = (setup.manifest(&one), setup.manifest(&two));
    let files = [&manifest["layers"][0], &other["layers"][0]].map(Clone::clone);
    let layers = manifest["layers"].as_array_mut().unwrap();
    layers.push(other["layers"][0].clone());
    let both = super::put_manifest(&setup, &manifest);
    let told = get(&setup, &["--get", &both]).exit(2);
    for file in files {
        let digest = file["digest"].as_str().unwrap();
        assert!(told.stderr.contains(digest), "{told}");
        get(&setup, &["--get", digest]).success();
    }
    par(&setup.environment, ["discover", &setup.reference]).success();
}
