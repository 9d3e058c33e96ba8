//! What a mirror lacks is said without changing anything.

use super::{Site, assert_statuses, writes};
use crate::support::archives::ArchiveBuilder;
use crate::transfer::push;

/// Writes a list of the providers that are not refused.
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
    // A layout that does not exist is not made.
    let nowhere = site.par(&["mirror", "good.txt", "oci-layout://none", "--dry-run"]);
    nowhere.success();
    assert!(!site.path("none").exists());
}
