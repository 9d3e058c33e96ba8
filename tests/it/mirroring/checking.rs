//! Comparing a mirror with its sources without changing it.

use super::{Site, artifact, assert_statuses, writes};
use crate::support::Environment;
use crate::support::archives::ArchiveBuilder;
use crate::transfer::{push, text};

/// Writes a list of the providers that the policy allows.
fn good(site: &Site) -> [&'static str; 2] {
    let lines = ["http", "redis", "nats", "blobs"].map(|name| site.reference(name));
    site.environment.write("good.txt", lines.join("\n"));
    ["mirror", "good.txt"]
}

#[test]
fn a_check_reports_drift_and_changes_nothing() {
    let site = Site::new();
    let place = site.place();
    let mirror = [&good(&site)[..], &[&place]].concat();
    let check = [&mirror[..], &["--check"]].concat();
    let json = [&check[..], &["-o", "json"]].concat();
    let missing = site.par(&json).exit(5).json();
    assert_statuses(&missing, "missing", &[]);
    assert_eq!(missing["error"]["kind"], "not_verified");
    assert_eq!(missing["failures"], serde_json::json!([]));
    assert_eq!(writes(&site.mirror, 0), [""; 0]);

    site.par(&mirror).success();
    site.par(&check).success();
    let keys = ArchiveBuilder::two_targets().published().build();
    let file = site.environment.write("other.par", keys);
    let other = push(&site.environment, &site.mirrored("http"), &file);
    let seen = site.mirror.requests().len();
    let drifted = site.par(&json).exit(5).json();
    assert_statuses(&drifted, "present", &[("http", "different")]);
    let actual: Vec<_> = drifted["mirrored"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["actual"])
        .collect();
    assert!(actual.contains(&&serde_json::json!(other)), "{drifted}");
    assert_eq!(writes(&site.mirror, seen), [""; 0]);
}

#[test]
fn a_dry_run_counts_what_would_be_sent() {
    let site = Site::new();
    let place = site.place();
    let mirror = [&good(&site)[..], &[&place]].concat();
    let dry = [&mirror[..], &["--dry-run", "-o", "json"]].concat();
    let first = site.par(&dry).success();
    let would = |answer: &serde_json::Value| -> u64 {
        let mirrored = answer["mirrored"].as_array().unwrap();
        mirrored
            .iter()
            .map(|one| one["sent"].as_u64().unwrap())
            .sum()
    };
    assert!(would(&first.json()) > 1000, "{first}");
    assert!(first.stderr.contains("would be sent"), "{first}");
    assert_eq!(writes(&site.mirror, 0), [""; 0]);
    site.par(&mirror).success();
    let second = site.par(&dry).success().json();
    assert_statuses(&second, "present", &[]);
    assert_eq!(would(&second), 0);
    // To give present content another tag, only the manifest is sent again.
    let tag = ["tag", &site.reference("http"), "1.0.1"];
    site.par(&tag).success();
    let new = site.reference("http").replace("1.0.0", "1.0.1");
    let dry = ["mirror", &new, &place, "--dry-run", "-o", "json"];
    let named = site.par(&dry).success().json();
    assert_statuses(&named, "missing", &[]);
    let manifest = std::fs::metadata(site.origin.blob(site.digest("http")));
    assert_eq!(would(&named), manifest.unwrap().len());
    // A layout that does not exist is not created.
    let nowhere = site.par(&["mirror", "good.txt", "oci-layout://none", "--dry-run"]);
    nowhere.success();
    assert!(!site.path("none").exists());
}

#[test]
fn referrers_are_mirrored_and_a_missing_one_is_reported() {
    let site = Site::new();
    let place = site.place();
    let mirror = [&good(&site)[..], &[&place]].concat();
    let json = |more: &[&str]| site.par(&[&mirror[..], more, &["-o", "json"]].concat());
    json(&[]).success();
    json(&["--check"]).success();
    let subject = site.digest("http");
    let signature = artifact(&site.origin, "org/http", "signature", Some(subject));
    let nested = artifact(&site.origin, "org/http", "nested", Some(&signature));

    let missing = json(&["--check"]).exit(5).json();
    assert_statuses(&missing, "present", &[("http", "incomplete")]);
    let dry = json(&["--dry-run"]).success().json();
    assert_statuses(&dry, "present", &[("http", "incomplete")]);
    let copied = json(&[]).success().json();
    assert_statuses(&copied, "present", &[("http", "copied")]);
    let repository = site.mirrored("http").replace(":1.0.0", "");
    for digest in [&signature, &nested] {
        let pinned = format!("{repository}@{digest}");
        assert_eq!(site.resolved(&pinned).as_ref(), Some(digest));
    }
    // The only list of referrers in the registry is under a tag.
    let list = format!("{repository}:{}", subject.replace(':', "-"));
    assert!(site.resolved(&list).is_some());
    json(&["--check"]).success();
    let seen = site.mirror.requests().len();
    json(&[]).success();
    assert_eq!(writes(&site.mirror, seen), [""; 0]);
}

#[test]
fn the_mirror_does_not_answer_in_place_of_the_source() {
    let site = Site::new();
    let (reference, mirrored) = (site.reference("hello"), site.mirrored("hello"));
    let place = site.place();
    // Hosts read this directory. So does this machine.
    let hosts = site.environment.home().join(".config/wasmcloud-par/hosts");
    let mirror = ["mirror", &reference, &place, "--write-hosts", text(&hosts)];
    let check = ["mirror", &reference, &place, "--check"];
    site.par(&mirror).success();
    site.par(&check).success();
    // A tag that is new at the source is found.
    artifact(&site.origin, "org/hello", "2.0.0", None);
    let repository = site.origin.reference("org/hello");
    let all = ["mirror", &repository, &place, "--tags", "."];
    let missing = site.par(&[&all[..], &["--check"]].concat()).exit(5);
    assert!(missing.stdout.contains("org/hello:2.0.0"), "{missing}");
    site.par(&all).success();
    let elsewhere = Environment::new();
    elsewhere.write("note", "a note");

    let mut before = site.component.clone();
    for again in [&mirror[..], &["copy", &reference, &mirrored]] {
        // The tag moves at the origin, and an attachment is added.
        let moved = artifact(&site.origin, "org/hello", "1.0.0", Some(&before));
        let attach = ["attach", &reference, "note", "--type", "text/plain"];
        elsewhere.par(attach).success();
        site.par(&check).exit(5);
        site.par(again).success();
        assert_eq!(site.resolved(&mirrored), Some(moved.clone()));
        site.par(&check).success();
        // Only an attachment is added.
        let attach = ["attach", &reference, "note", "--type", "text/markdown"];
        elsewhere.par(attach).success();
        site.par(&check).exit(5);
        site.par(again).success();
        site.par(&check).success();
        before = moved;
    }
}
