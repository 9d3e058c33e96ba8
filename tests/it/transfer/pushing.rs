//! Push: blobs are sent once, and the tag moves last.

use std::fs;
use std::process::Stdio;

use super::link::Link;
use super::push_steps::assert_only_asked;
use super::{Outcome, digest, pack_noise, par, peer, push, requests_about, small, text};
use crate::support::archives::ArchiveBuilder;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry, ended};

/// The digest that `tag` of `provider` names, as another client sees it.
fn tagged(registry: &Registry, tag: &str) -> Option<String> {
    peer::pull(&registry.reference(&format!("provider:{tag}"))).digest
}

#[test]
fn blobs_go_before_their_manifest_which_is_one_put_with_its_tag() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let manifest = push(&environment, &registry.reference("provider:1.0.0"), &file);

    let requests = registry.requests();
    let position = |start: &str, part: &str| {
        let found = requests
            .iter()
            .position(|request| request.starts_with(start) && request.contains(part));
        found.unwrap_or_else(|| panic!("no {start} {part}: {requests:#?}"))
    };
    let layer = digest(&file).replace(':', "%3A");
    let looked = position("HEAD", &format!("/blobs/{}", digest(&file)));
    assert!(looked < position("PUT", &layer));
    let tagged = position("PUT", "/manifests/1.0.0");
    assert!(position("PUT", &layer) < tagged);
    // The blobs are compared together after all were sent, and before the tag moves.
    let sent = requests
        .iter()
        .rposition(|request| request.contains("/blobs/uploads/"));
    for request in &requests[sent.unwrap() + 1..tagged] {
        assert!(
            request.starts_with("HEAD") && request.contains("/blobs/"),
            "{requests:#?}"
        );
    }
    let compared = requests
        .iter()
        .filter(|request| request.contains(&format!("/blobs/{}", digest(&file))));
    assert_eq!(compared.count(), 2);
    assert_eq!(requests_about(&registry, "PUT", "/manifests/"), 1);
    // At the end, the push compares the stored manifest.
    let compared = position("HEAD", &format!("/manifests/{manifest}"));
    assert_eq!((tagged, compared), (requests.len() - 2, requests.len() - 1));
}

#[test]
fn a_tag_does_not_move_to_an_archive_that_the_registry_has_lost() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let first = small(&environment, "first.par");
    let first = push(&environment, &registry.reference("provider:1.0.0"), &first);
    let file = small(&environment, "second.par");
    // The registry confirms the upload, but does not have the blob afterwards.
    let blob = format!("/blobs/{}", digest(&file));
    let lost = |method| Rule::on(method, &blob, Fault::status("404 Not Found"));
    let rules = vec![lost("HEAD").after(1).always(), lost("GET").always()];
    let proxy = Proxy::start(&registry, rules);
    let reference = proxy.reference("provider:1.0.0");
    let outcome = environment.par(["push", &reference, text(&file)]).exit(5);
    assert!(outcome.stderr.contains("stored nothing"), "{outcome}");
    assert_eq!(proxy.seen("PUT", "/manifests/").len(), 0);
    assert_eq!(tagged(&registry, "1.0.0"), Some(first));
}

#[test]
fn blobs_that_the_registry_has_are_not_sent_again() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let first = push(&environment, &registry.reference("provider:1.0.0"), &file);
    let before = registry.requests().len();

    assert_eq!(
        push(&environment, &registry.reference("provider:1.0.0"), &file),
        first
    );
    assert_eq!(
        push(&environment, &registry.reference("provider:2.0.0"), &file),
        first
    );

    let requests = registry.requests().split_off(before);
    assert!(!requests.is_empty());
    for request in &requests {
        let sent = request.contains("/uploads/") && request.starts_with("P");
        // One upload only shows whether the registry accepts uploads, and is cancelled.
        let asked = request.starts_with("POST") && request.ends_with("/uploads/");
        assert!(asked || !sent, "{requests:#?}");
        let manifest_again = request.starts_with("PUT") && request.contains("sha256");
        assert!(!manifest_again, "{requests:#?}");
    }
    assert_eq!(tagged(&registry, "2.0.0"), Some(first));
}

#[test]
fn nothing_of_a_damaged_archive_is_sent() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let mut archive = ArchiveBuilder::two_targets().build();
    let position = archive.len() - 1024 - 512;
    archive[position] ^= 1;
    let file = environment.write("provider.par", archive);
    par(
        &environment,
        ["push", &registry.reference("provider:1.0.0"), text(&file)],
    )
    .exit(5);
    assert_only_asked(&registry.requests());
}

#[test]
fn a_registry_that_refuses_writes_keeps_its_tag() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let old = small(&environment, "old.par");
    let first = push(&environment, &registry.reference("provider:1.0.0"), &old);
    let read_only = Registry::builder()
        .storage(registry.storage())
        .read_only()
        .start();

    let new = small(&environment, "new.par");
    let outcome = par(
        &environment,
        ["push", &read_only.reference("provider:1.0.0"), text(&new)],
    );

    assert_eq!(outcome.code, 4, "{outcome}");
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("HTTP 405"), "{outcome}");
    assert_eq!(tagged(&registry, "1.0.0"), Some(first));
}

#[test]
fn a_push_that_is_killed_halfway_leaves_the_tag_and_the_next_one_succeeds() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let old = small(&environment, "old.par");
    let first = push(&environment, &registry.reference("provider:1.0.0"), &old);
    let new = pack_noise(&environment, "new.par", 8 << 20);
    let link = Link::receiving(&registry, 4 << 20);

    let mut command = environment.command();
    command.args(["push", &link.reference("provider:1.0.0"), text(&new)]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    link.wait_until_dead();
    child.kill().unwrap();
    assert_eq!(ended(child).stdout, b"");

    assert_eq!(tagged(&registry, "1.0.0"), Some(first));
    let second = push(&environment, &registry.reference("provider:1.0.0"), &new);
    assert_eq!(tagged(&registry, "1.0.0"), Some(second));
}

#[test]
fn a_tag_moves_and_the_old_manifest_stays_under_its_digest() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let [old, new] = ["old.par", "new.par"].map(|name| small(&environment, name));
    let reference = registry.reference("provider:1.0.0");
    let first = push(&environment, &reference, &old);
    let second = push(&environment, &reference, &new);
    assert_eq!(tagged(&registry, "1.0.0"), Some(second));

    let first = registry.reference(&format!("provider@{first}"));
    par(&environment, ["pull", &first, "--destination", "pulled"]).success();
    let pulled = environment.path("pulled");
    assert_eq!(fs::read(pulled).unwrap(), fs::read(&old).unwrap());
}

#[test]
fn the_manifest_must_have_the_digest_of_the_reference() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let digest = push(
        &environment,
        &registry.reference("elsewhere/provider:1.0.0"),
        &file,
    );
    let before = registry.requests().len();

    let wrong = registry.reference(&format!("provider:1.0.0@sha256:{}", "0".repeat(64)));
    let outcome = par(&environment, ["push", &wrong, text(&file)]).exit(5);
    assert!(outcome.stderr.contains(&digest), "{outcome}");
    assert_only_asked(&registry.requests().split_off(before));

    let untagged = registry.reference(&format!("provider@{digest}"));
    par(&environment, ["push", &untagged, text(&file)]).success();
    assert_eq!(
        requests_about(&registry, "PUT", "/v2/provider/manifests/1.0.0"),
        0
    );
    let both = registry.reference(&format!("provider:1.0.0@{digest}"));
    let outcome = par(&environment, ["push", &both, text(&file), "-o", "json"]).success();
    assert_eq!(outcome.json()["tag"], "1.0.0");
    assert_eq!(tagged(&registry, "1.0.0"), Some(digest));
}

#[test]
fn a_registry_that_does_not_answer_is_unavailable() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let reference = registry.reference("provider:1.0.0");
    drop(registry);
    let outcome: Outcome = par(&environment, ["push", &reference, text(&file)]).exit(6);
    assert!(outcome.stderr.contains("is not answering"), "{outcome}");
}
