//! `par delete` also deletes what belongs to a manifest.

use std::slice;

use serde_json::json;
use wasmcloud_par::content::{Descriptor, Digest};

use super::{SBOM, SIGNATURE, attach, image, list_tag, manifest, referrers, referring, repository};
use crate::support::archives::ArchiveBuilder;
use crate::support::{ApiRegistry, Environment, Registry, block_on};
use crate::transfer::{par, push};

/// How many levels of attachments below an archive are copied, compared and deleted with it.
const LEVELS: usize = 16;

#[test]
fn what_belongs_to_a_manifest_is_deleted_with_it() {
    let environment = Environment::new();
    let (without, with_api) = (Registry::start(), ApiRegistry::start());
    for host in [without.address(), with_api.address()] {
        let there = repository(host, "org/x");
        let kept = image(&there, "another archive", Some("2"));
        let of_kept = attach(&there, &kept, SIGNATURE, "of another archive");
        let subject = image(&there, "archive", Some("1"));
        let sbom = attach(&there, &subject, SBOM, "a bill of materials");
        let nested = attach(&there, &sbom, SIGNATURE, "a signature of the bill");
        let tag = format!("{}.sig", list_tag(&subject.digest));
        let tagged = image(&there, "an older signature", Some(&tag));
        let reference = format!("{host}/org/x:1");
        let deleted = par(
            &environment,
            ["delete", "--force", &reference, "-o", "json"],
        );
        let deleted = deleted.success();
        let answer = deleted.json();
        let attached = answer["attached"].as_array().unwrap();
        assert_eq!(attached.len(), 3, "{answer}");
        for digest in attached {
            let note = format!("belongs to it: {}", digest.as_str().unwrap());
            assert!(deleted.stderr.contains(&note), "{deleted}");
        }
        assert_eq!(attached[0], json!(nested.digest));
        assert_eq!(answer["tags"], json!(["1"]));
        for gone in [&subject, &sbom, &nested, &tagged] {
            block_on(there.manifest(&gone.digest.to_string())).unwrap_err();
        }
        // The other registry keeps the tags of a deleted manifest.
        if host == without.address() {
            let tags = block_on(there.tags()).unwrap();
            assert_eq!(tags, ["2".to_owned(), list_tag(&kept.digest)]);
        }
        assert_eq!(referrers(&there, &kept.digest), [of_kept.digest]);
    }
}

#[test]
fn referrers_with_tags_are_kept_and_all_referrers_with_the_option() {
    let environment = Environment::new();
    let registry = Registry::start();
    let there = repository(registry.address(), "org/x");
    let subject = image(&there, "archive", Some("1"));
    let document = referring(&there, &subject, SBOM, "an image of the archive");
    let image_of_it = manifest(&there, &document, Some("image"));
    let reference = registry.reference("org/x:1");
    let deleted = par(
        &environment,
        ["delete", "--force", &reference, "-o", "json"],
    )
    .success();
    assert_eq!(
        deleted.json()["kept"],
        json!([{ "digest": image_of_it.digest, "tags": ["image"] }])
    );
    assert!(
        deleted.stderr.contains("the tag image names it"),
        "{deleted}"
    );
    block_on(there.manifest("image")).unwrap();

    let second = image(&there, "second", Some("2"));
    let signature = attach(&there, &second, SIGNATURE, "a signature");
    let reference = registry.reference("org/x:2");
    let deleted = par(
        &environment,
        ["delete", "--force", "--keep-referrers", &reference],
    );
    deleted.success();
    block_on(there.manifest(&signature.digest.to_string())).unwrap();
    assert_eq!(referrers(&there, &second.digest), [signature.digest]);
}

#[test]
fn a_deleted_referrer_leaves_the_list_of_its_subject() {
    let environment = Environment::new();
    let registry = Registry::start();
    let there = repository(registry.address(), "org/x");
    let subject = image(&there, "archive", Some("1"));
    let signature = attach(&there, &subject, SIGNATURE, "a signature");
    let sbom = attach(&there, &subject, SBOM, "a bill of materials");
    let delete = |digest| {
        let reference = registry.reference(&format!("org/x@{digest}"));
        par(&environment, ["delete", "--force", &reference]).success();
    };
    delete(&signature.digest);
    let (_, list) = block_on(there.manifest(&list_tag(&subject.digest))).unwrap();
    assert!(!String::from_utf8_lossy(&list).contains(&signature.digest.to_string()));
    assert_eq!(
        referrers(&there, &subject.digest),
        slice::from_ref(&sbom.digest)
    );
    delete(&sbom.digest);
    assert!(referrers(&there, &subject.digest).is_empty());
}

#[test]
fn sixteen_levels_of_attachments_are_copied_compared_and_deleted_and_seventeen_are_refused() {
    let environment = Environment::new();
    let registry = Registry::start();
    let there = repository(registry.address(), "org/x");
    let reference = registry.reference("org/x:1");
    let archive = ArchiveBuilder::two_targets().published().build();
    let file = environment.write("archive.par", archive);
    push(&environment, &reference, &file);
    let (archive, _) = block_on(there.manifest("1")).unwrap();
    let mut attached: Vec<Descriptor> = Vec::new();
    for level in 1..=LEVELS + 1 {
        let subject = attached.last().unwrap_or(&archive);
        let below = attach(&there, subject, SBOM, &format!("level {level}"));
        attached.push(below);
    }
    let copy = ["copy", &reference, "oci-layout://copied:1"];
    let mirror = ["mirror", &reference, "oci-layout://mirror"];
    let check = [&mirror[..], &["--check"]].concat();
    let delete = ["delete", "--force", &reference];

    let before = registry.requests().len();
    for command in [&copy[..], &check[..], &delete[..]] {
        let refused = environment.par(command).exit(5);
        let message = format!("more than {LEVELS} deep");
        assert!(refused.stderr.contains(&message), "{refused}");
    }
    let requests = registry.requests().split_off(before);
    let is_read = |request: &String| request.starts_with("GET ") || request.starts_with("HEAD ");
    assert!(requests.iter().all(is_read), "{requests:#?}");
    par(&environment, ["resolve", "oci-layout://copied:1"]).exit(3);
    assert!(!environment.path("mirror").exists());

    let last = attached.pop().unwrap();
    let last = registry.reference(&format!("org/x@{}", last.digest));
    par(&environment, ["delete", "--force", &last]).success();
    let json = |command: &[&str]| {
        let outcome = environment.par([command, &["-o", "json"]].concat());
        outcome.success().json()
    };
    assert_eq!(json(&copy)["referrers"], LEVELS);
    json(&mirror);
    assert_eq!(json(&check)["mirrored"][0]["status"], "present");
    let deepest_first: Vec<&Digest> = attached.iter().rev().map(|one| &one.digest).collect();
    assert_eq!(json(&delete)["attached"], json!(deepest_first));
    for gone in attached.iter().chain([&archive]) {
        block_on(there.manifest(&gone.digest.to_string())).unwrap_err();
    }
}
