//! Content that was damaged in a registry after it was pushed.

use std::fs;
use std::path::Path;

use super::{cached, digest, par, peer, push, requests_about, small};
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Registry};

/// Changes a file that the registry stores.
fn damage(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

fn flip(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

fn cut(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() / 2);
}

fn extend(bytes: &mut Vec<u8>) {
    bytes.extend([0; 512]);
}

#[test]
fn a_layer_that_was_damaged_in_the_registry_is_never_written() {
    let changes: [fn(&mut Vec<u8>); 3] = [|bytes| flip(bytes), cut, extend];
    for change in changes {
        let (environment, registry) = (Environment::new(), Registry::start());
        let file = small(&environment, "made.par");
        let reference = registry.reference("provider:1.0.0");
        let manifest = push(&environment, &reference, &file);
        damage(&registry.blob(&digest(&file)), change);
        let kept = environment.write("kept.par", "what was there before");

        for arguments in [
            &["pull", &reference][..],
            &["pull", &reference, "--destination", "kept.par"],
            &["fetch", &reference, "--target", "x86_64-linux"],
            &["extract", &reference, "--target", "x86_64-linux"],
        ] {
            let outcome = environment.par(arguments).exit(5);
            assert_eq!(outcome.stdout, "");
        }

        assert_eq!(fs::read(kept).unwrap(), b"what was there before");
        let hex = manifest.strip_prefix("sha256:").unwrap();
        assert_eq!(
            cached(&environment, "blobs"),
            [hex],
            "the manifest is right"
        );
        assert_eq!(cached(&environment, "executables"), [""; 0]);
        let files = environment.files();
        let work: Vec<_> = files
            .iter()
            .filter(|file| file.starts_with("work/"))
            .collect();
        assert_eq!(work, ["work/kept.par", "work/made.par"]);
    }
}

#[test]
fn the_error_about_damaged_content_names_its_place_and_what_to_do() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "made.par");
    let in_registry = registry.reference("provider:1.0.0");
    let in_layout = "oci-layout://layout:1";
    push(&environment, &in_registry, &file);
    let manifest = push(&environment, in_layout, &file);
    let (layer, other) = (digest(&file), registry.reference("other:1.0.0"));
    let of_layout = |digest: &str| {
        let blob = digest.replace(':', "/");
        environment.path(&format!("layout/blobs/{blob}"))
    };
    damage(&registry.blob(&layer), |bytes| flip(bytes));
    damage(&of_layout(&layer), |bytes| flip(bytes));
    let refused = |command: &str, reference: &str, destination: Option<&str>| {
        let arguments = [command, reference].into_iter().chain(destination);
        let refused = environment.par(arguments).exit(5);
        let hint = if reference == in_layout {
            "hint: copy the layout again"
        } else {
            "hint: try again; if the error stays, tell the operator of the registry"
        };
        for words in [&format!("{reference} gives wrong content"), hint] {
            assert!(refused.stderr.contains(words), "{words}: {refused}");
        }
    };
    for (reference, other) in [
        (in_registry.as_str(), "oci-layout://third:1"),
        (in_layout, other.as_str()),
    ] {
        refused("pull", reference, None);
        for destination in ["oci-layout://copied:1", "oci-archive://copied.tar:1", other] {
            refused("copy", reference, Some(destination));
        }
    }
    damage(&of_layout(&manifest), |bytes| flip(bytes));
    refused("pull", in_layout, None);
    refused("copy", in_layout, Some("oci-layout://copied:1"));
}

#[test]
fn after_the_registry_was_repaired_the_same_command_succeeds() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "made.par");
    let reference = registry.reference("provider:1.0.0");
    push(&environment, &reference, &file);
    damage(&registry.blob(&digest(&file)), |bytes| flip(bytes));
    par(&environment, ["pull", &reference]).exit(5);
    fs::copy(&file, registry.blob(&digest(&file))).unwrap();
    par(&environment, ["pull", &reference]).success();
}

#[test]
fn a_manifest_that_was_damaged_in_the_registry_is_not_used() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "made.par");
    let place = registry.reference("provider");
    let manifest = push(&environment, &format!("{place}:1.0.0"), &file);
    damage(&registry.blob(&manifest), |bytes| {
        let text = String::from_utf8(std::mem::take(bytes)).unwrap();
        *bytes = text.replace("provider.par", "previous.par").into_bytes();
    });
    for name in [":1.0.0".to_owned(), format!("@{manifest}")] {
        let outcome = par(&environment, ["pull", &format!("{place}{name}")]);
        assert_ne!(outcome.code, 0, "{outcome}");
        assert_eq!(cached(&environment, "blobs"), [""; 0]);
    }
}

#[test]
fn an_archive_with_a_wrong_signature_is_refused_however_it_was_pushed() {
    let registry = Registry::start();
    let reference = registry.reference("provider:1.0.0");
    let forger = nkeys::KeyPair::new_account();
    peer::push(
        &reference,
        &ArchiveBuilder::two_targets().signed_by(forger).build(),
    );
    for command in ["pull", "fetch", "inspect", "verify", "extract"] {
        let environment = Environment::new();
        let outcome = par(&environment, [command, &reference]).exit(5);
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains(&reference), "{outcome}");
        assert_eq!(cached(&environment, "executables"), [""; 0]);
        assert!(
            !environment
                .files()
                .iter()
                .any(|file| file.starts_with("work/"))
        );
    }
}

#[test]
fn a_blob_that_is_gone_from_the_registry_is_not_found() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "made.par");
    let reference = registry.reference("provider:1.0.0");
    push(&environment, &reference, &file);
    fs::remove_file(registry.blob(&digest(&file))).unwrap();
    let outcome = par(&environment, ["pull", &reference]).exit(3);
    assert!(outcome.stderr.contains(&digest(&file)), "{outcome}");
}

#[test]
fn an_archive_that_was_pushed_damaged_is_received_once() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let archive = ArchiveBuilder::two_targets();
    let bytes = archive.hash("x86_64-linux", b"another").build();
    let reference = registry.reference("provider:1.0.0");
    peer::push(&reference, &bytes);
    for command in ["pull", "extract", "inspect", "pull"] {
        let outcome = environment.par([command, &reference]).exit(5);
        assert!(!outcome.stderr.contains("is removed"), "{outcome}");
    }
    let layer = wasmcloud_par::content::Digest::of(&bytes).to_string();
    let requests = requests_about(&registry, "GET", &layer);
    assert_eq!(requests, 1);
}
