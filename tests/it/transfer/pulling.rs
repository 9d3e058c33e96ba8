//! Pull: the right archive in the right file.

use std::fs;

use super::{pack, par, push, small, text};
use crate::support::{Environment, Registry, shared_registry, unique};

#[test]
fn an_archive_is_pulled_by_tag_by_digest_and_by_both() {
    let environment = Environment::new();
    let file = small(&environment, "made.par");
    let place = format!("{}/{}", shared_registry(), unique("pulled"));
    let digest = push(&environment, &format!("{place}:1.0.0"), &file);
    for name in [
        ":1.0.0".to_owned(),
        format!("@{digest}"),
        format!(":1.0.0@{digest}"),
        // The digest decides, so the tag is not resolved.
        format!(":no-such-tag@{digest}"),
    ] {
        // Each pull has an empty cache.
        let environment = Environment::new();
        let reference = format!("oci://{place}{name}");
        let outcome = par(&environment, ["pull", &reference, "-o", "json"]).success();
        assert_eq!(outcome.json()["digest"], digest.as_str());
        assert_eq!(outcome.json()["reference"], format!("{place}@{digest}"));
        let pulled = environment.path(outcome.json()["file"].as_str().unwrap());
        assert_eq!(fs::read(pulled).unwrap(), fs::read(&file).unwrap());
    }
}

#[test]
fn the_manifest_must_have_the_expected_digest() {
    let environment = Environment::new();
    let [old, new] = ["old.par", "new.par"].map(|name| small(&environment, name));
    let place = format!("{}/{}", shared_registry(), unique("demanded"));
    let reference = format!("{place}:1.0.0");
    let first = push(&environment, &reference, &old);
    for option in ["--digest", "-d"] {
        par(&environment, ["pull", &reference, option, &first]).success();
    }
    let pulled = environment.path(&format!("{}.par", place.rsplit('/').next().unwrap()));
    fs::remove_file(&pulled).unwrap();

    // One digest is unknown, and the other one is the digest that the tag named before.
    let second = push(&environment, &reference, &new);
    let never = format!("sha256:{}", "0".repeat(64));
    for (demanded, actual) in [(&never, &second), (&first, &second)] {
        let outcome = par(&environment, ["pull", &reference, "--digest", demanded]).exit(5);
        assert!(outcome.stderr.contains(demanded), "{outcome}");
        assert!(outcome.stderr.contains(actual), "{outcome}");
        assert!(!pulled.exists());
    }
    let both = format!("{reference}@{first}");
    par(&environment, ["pull", &both, "--digest", &second]).exit(5);
    par(&environment, ["pull", &both, "--digest", &first]).success();
    assert_eq!(fs::read(&pulled).unwrap(), fs::read(&old).unwrap());
    // Without a tag, the digest chooses the manifest.
    par(&environment, ["pull", &place, "--digest", &second]).success();
    assert_eq!(fs::read(&pulled).unwrap(), fs::read(&new).unwrap());
    par(&environment, ["pull", &place, "--digest", &never]).exit(3);
    par(&environment, ["pull", &place, "--digest", "sha256:0"]).exit(2);
}

#[test]
fn an_absent_repository_tag_or_digest_is_not_found() {
    let environment = Environment::new();
    let place = format!("{}/{}", shared_registry(), unique("absent"));
    par(&environment, ["pull", &format!("{place}:1.0.0")]).exit(3);
    push(
        &environment,
        &format!("{place}:1.0.0"),
        &small(&environment, "made.par"),
    );
    par(&environment, ["pull", &format!("{place}:2.0.0")]).exit(3);
}

#[test]
fn a_file_is_named_after_the_repository_and_the_compression() {
    let environment = Environment::new();
    let executable = environment.write("executable", "for this machine");
    for (made, suffix) in [("made.par", "par"), ("made.par.gz", "par.gz")] {
        // The pushed file has another extension: the content decides.
        let file = environment.path("nothing");
        fs::rename(pack(&environment, made, &executable), &file).unwrap();
        let repository = format!("{}/{suffix}.provider", unique("named"));
        let reference = format!("{}/{repository}:1.0.0", shared_registry());
        push(&environment, &reference, &file);
        let name = format!("{suffix}.provider.{suffix}");

        let outcome = par(&environment, ["pull", &reference]).success();
        assert_eq!(outcome.line(), name);
        fs::create_dir_all(environment.path("folder")).unwrap();
        let outcome = par(
            &environment,
            ["pull", &reference, "--destination", "folder"],
        );
        assert_eq!(outcome.success().line(), format!("folder/{name}"));
        let exact = environment.path("exactly.this");
        let outcome = par(
            &environment,
            ["pull", &reference, "--destination", text(&exact)],
        );
        assert_eq!(outcome.success().line(), text(&exact));
        for path in [name.as_str(), &format!("folder/{name}"), "exactly.this"] {
            assert_eq!(
                fs::read(environment.path(path)).unwrap(),
                fs::read(&file).unwrap()
            );
        }
    }
}

#[test]
fn an_absent_destination_directory_is_reported() {
    let environment = Environment::new();
    let reference = format!("{}/{}:1.0.0", shared_registry(), unique("nowhere"));
    push(&environment, &reference, &small(&environment, "made.par"));
    let arguments = ["pull", &reference, "--destination", "no/such/folder.par"];
    let outcome = par(&environment, arguments).exit(3);
    assert!(outcome.stderr.contains("no/such/folder.par"), "{outcome}");
}

#[test]
fn an_archive_that_was_pulled_is_not_downloaded_again() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.0.0");
    push(&environment, &reference, &small(&environment, "made.par"));
    par(&environment, ["pull", &reference]).success();
    let before = registry.requests().len();
    par(
        &environment,
        ["pull", &reference, "--destination", "again.par"],
    )
    .success();
    par(&environment, ["verify", &reference]).success();
    let expected = "HEAD /v2/provider/manifests/1.0.0";
    assert_eq!(registry.requests().split_off(before), [expected; 2]);
}
