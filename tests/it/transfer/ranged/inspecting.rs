//! Inspect: the claims and the index of an archive in a registry cost a few KiB.

use std::fs;

use data_encoding::BASE64;
use serde_json::json;

use super::{
    CLAIMS, INDEX, NAME, SIZE, Setup, TARGETS, WIT, annotations, answered_by, pack_six,
    without_manifest,
};
use crate::support::Environment;
use crate::support::proxy::{Fault, Proxy};
use crate::transfer::{digest, par, text};

/// Asserts that there were at most so many requests and 64 KiB.
#[track_caller]
fn assert_few_requests_and_bytes(proxy: &Proxy, most: usize) {
    let requests = proxy.seen("HEAD", "/").len() + proxy.seen("GET", "/").len();
    assert!(requests <= most, "{requests} requests");
    let (_, down) = proxy.traffic("/");
    assert!(down <= 64 << 10, "{down} bytes");
}

#[test]
fn inspecting_without_the_executables_takes_few_requests_and_64_kib() {
    for setup in [Setup::new(), Setup::by_others()] {
        let file = ["inspect", text(&setup.archive), "-o", "json"];
        let mut expected = par(&setup.environment, file).success().json();
        expected["verified"] = "claims".into();
        // The executables are not read.
        for executable in expected["executables"].as_array_mut().unwrap() {
            executable["facts"].take();
        }
        let proxy = setup.proxy(Vec::new());
        let reference = proxy.reference(NAME);

        let outcome = par(&setup.environment, ["inspect", &reference, "-o", "json"]).success();

        // The list of attachments takes two requests, because the registry has no referrers API. Archives of other
        // tools take one more, because their manifests carry no claims.
        assert_few_requests_and_bytes(&proxy, if setup.is_by_others() { 4 } else { 3 });
        assert_eq!(
            without_manifest(outcome.json()),
            answered_by(&reference, expected)
        );
        assert_eq!(outcome.json()["targets"], json!(TARGETS));
        let outcome = par(&setup.environment, ["inspect", &reference]).success();
        assert!(
            outcome.stdout.contains("Verified: only the claims"),
            "{outcome}"
        );
        let token = par(&setup.environment, ["inspect", &reference, "--jwt-only"]).success();
        let (_, claims) = annotations(&setup.environment, &setup.archive);
        assert_eq!(token.line(), claims);
        assert_eq!(proxy.traffic(&setup.hex()).1 > 0, setup.is_by_others());
    }
}

#[test]
fn the_world_is_downloaded_by_itself() {
    let setup = Setup::new();
    let proxy = setup.proxy(Vec::new());
    let outcome = par(
        &setup.environment,
        ["inspect", &proxy.reference(NAME), "--wit"],
    )
    .success();
    assert_eq!(outcome.stdout.trim_end(), WIT.trim_end());
    assert_few_requests_and_bytes(&proxy, 2);
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 1);
}

#[test]
fn an_archive_that_is_cached_or_cannot_be_read_in_part_is_verified_as_a_whole() {
    let setup = Setup::new();
    let reference = setup.registry.reference(NAME);
    par(&setup.environment, ["pull", &reference]).success();
    let outcome = par(&setup.environment, ["inspect", &reference, "-o", "json"]).success();
    assert!(outcome.json().get("verified").is_none(), "{outcome}");

    let setup = Setup::by_others();
    let ignored = Fault::Edit(|request| request.remove("range"), |_| {});
    let proxy = setup.proxy(vec![setup.layer(ignored).always()]);
    for name in [NAME.to_owned(), format!("provider@{}", setup.manifest)] {
        let reference = proxy.reference(&name);
        let outcome = par(&setup.environment, ["inspect", &reference, "-o", "json"]).success();
        assert!(outcome.json().get("verified").is_none(), "{outcome}");
    }
}

/// Returns an index in which two entries have swapped their names, which have equal lengths.
fn swapped(index: &str, one: &str, other: &str) -> String {
    let mut bytes = BASE64.decode(index.as_bytes()).unwrap();
    let place = |name: &str| {
        let mut places = bytes.windows(name.len());
        places.position(|bytes| bytes == name.as_bytes()).unwrap()
    };
    for (place, name) in [(place(one), other), (place(other), one)] {
        bytes[place..place + name.len()].copy_from_slice(name.as_bytes());
    }
    BASE64.encode(&bytes)
}

#[test]
fn an_unsigned_world_and_forged_claims_are_not_shown() {
    let environment = Environment::new();
    let other = pack_six(&environment, "other.par.gz", SIZE / 2, 1);
    let (index, claims) = annotations(&environment, &other);
    let (signed, _) = claims.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(86));
    let index = swapped(&index, "world.wasm", "claims.jwt");
    for annotation in [(INDEX, index.as_str()), (CLAIMS, &forged)] {
        let setup = Setup::annotated(&[annotation]);
        let file = ["inspect", text(&setup.archive), "--wit", "-o", "json"];
        let expected = par(&setup.environment, file).success().json();
        let reference = setup.registry.reference(NAME);
        let arguments = ["inspect", &reference, "--wit", "-o", "json"];
        let outcome = par(&setup.environment, arguments).success();
        let mut answer = without_manifest(outcome.json());
        let warnings = answer["warnings"].take().to_string();
        let has_warning = warnings.contains("ignoring the claims in the manifest");
        assert_eq!(has_warning, annotation.0 == CLAIMS, "{warnings}");
        let mut expected = answered_by(&reference, expected);
        expected["warnings"].take();
        assert_eq!(answer, expected, "{}", annotation.0);
    }
}

#[test]
fn the_start_of_an_archive_does_not_count_for_a_pinned_manifest_without_claims() {
    let setup = Setup::by_others();
    let other = pack_six(&setup.environment, "other.par.gz", SIZE, 1);
    fs::copy(other, setup.registry.blob(&digest(&setup.archive))).unwrap();
    let pinned = format!("provider@{}", setup.manifest);
    par(
        &setup.environment,
        ["inspect", &setup.registry.reference(&pinned)],
    )
    .exit(5);
}
