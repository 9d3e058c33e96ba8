//! A tag keeps the issuer and the subject of the archive that it names, unless the change is asked for.

use std::path::PathBuf;

use nkeys::KeyPair;
use serde_json::json;

use super::{par, peer, push, requests_about, text};
use crate::support::archives::{ArchiveBuilder, publisher};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Outcome, Registry};

/// Writes an archive with these keys, and returns its path.
fn signed(environment: &Environment, name: &str, issuer: &KeyPair, subject: &KeyPair) -> PathBuf {
    let archive = ArchiveBuilder::two_targets().keys(issuer.clone(), subject.clone());
    environment.write(name, archive.build())
}

/// Writes an archive of another issuer, and one of another provider.
fn strangers(environment: &Environment) -> [(PathBuf, String); 2] {
    let (issuer, subject) = publisher();
    let (other_issuer, other_subject) = (KeyPair::new_account(), KeyPair::new_service());
    [
        (
            signed(environment, "issuer.par", &other_issuer, &subject),
            other_issuer.public_key(),
        ),
        (
            signed(environment, "subject.par", &issuer, &other_subject),
            other_subject.public_key(),
        ),
    ]
}

fn ours(environment: &Environment) -> PathBuf {
    environment.write(
        "ours.par",
        ArchiveBuilder::two_targets().published().build(),
    )
}

fn resolved(environment: &Environment, reference: &str) -> String {
    let outcome = par(environment, ["resolve", reference]).success();
    outcome.line().rsplit_once('@').unwrap().1.to_owned()
}

/// Asserts that a command is refused because of `stranger`, the other key.
#[track_caller]
fn assert_refused(outcome: Outcome, stranger: &str) {
    let outcome = outcome.exit(7);
    let (issuer, subject) = publisher();
    for part in [
        issuer.public_key().as_str(),
        subject.public_key().as_str(),
        stranger,
        "--change-identity",
    ] {
        assert!(outcome.stderr.contains(part), "{part} is not in {outcome}");
    }
}

#[test]
fn a_push_does_not_give_a_tag_to_another_issuer_or_subject() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let ours = ours(&environment);
    let layout = "oci-layout://layout:1.2.3".to_owned();
    for reference in [registry.reference("provider:1.2.3"), layout] {
        let digest = push(&environment, &reference, &ours);
        let other = reference.replace(":1.2.3", ":new");
        for (file, stranger) in strangers(&environment) {
            let file = text(&file);
            let uploads = requests_about(&registry, "PUT", "/blobs/uploads/");
            for more in [&[][..], &["--dry-run"]] {
                let arguments = ["push", &reference, file];
                let outcome = environment.par([&arguments[..], more].concat());
                assert_refused(outcome, &stranger);
            }
            // The tag is one of several.
            let outcome = environment.par(["push", &other, file, "--tag", "1.2.3"]);
            assert_refused(outcome, &stranger);
            par(&environment, ["resolve", &other]).exit(3);
            let json = environment.par(["push", &reference, file, "-o", "json"]);
            assert_eq!(json.json()["error"]["kind"], "conflict");
            let now = requests_about(&registry, "PUT", "/blobs/uploads/");
            assert_eq!(uploads, now, "something was uploaded");
            assert_eq!(resolved(&environment, &reference), digest);
        }
        let (file, _) = &strangers(&environment)[0];
        let arguments = ["push", &reference, text(file), "--change-identity"];
        let moved = environment.par(arguments).success();
        assert!(moved.stderr.contains(&format!("{digest} -> ")), "{moved}");
        assert_ne!(resolved(&environment, &reference), digest);
    }
}

#[test]
fn a_tag_command_does_not_give_a_tag_to_another_issuer_or_subject() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1.2.3");
    let digest = push(&environment, &reference, &ours(&environment));
    for (file, stranger) in strangers(&environment) {
        let other = registry.reference("provider:other");
        let arguments = ["push", &other, text(&file), "--change-identity"];
        environment.par(arguments).success();
        assert_refused(environment.par(["tag", &other, "2", "1.2.3"]), &stranger);
        par(&environment, ["resolve", &registry.reference("provider:2")]).exit(3);
        assert_eq!(resolved(&environment, &reference), digest);
    }
    let other = registry.reference("provider:other");
    let arguments = ["tag", &other, "1.2.3", "--change-identity"];
    environment.par(arguments).success();
    assert_eq!(
        resolved(&environment, &reference),
        resolved(&environment, &other)
    );
}

#[test]
fn a_copy_does_not_give_a_tag_to_another_issuer_or_subject() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1");
    let digest = push(&environment, &reference, &ours(&environment));
    let (file, stranger) = &strangers(&environment)[0];
    let staged = registry.reference("staged:1");
    push(&environment, &staged, file);
    let uploads = requests_about(&registry, "POST", "/provider/blobs/uploads/");
    assert_refused(par(&environment, ["copy", &staged, &reference]), stranger);
    assert_eq!(
        requests_about(&registry, "POST", "/provider/blobs/uploads/"),
        uploads
    );
    assert_eq!(resolved(&environment, &reference), digest);
    let arguments = ["copy", &staged, &reference, "--change-identity"];
    environment.par(arguments).success();
    assert_eq!(
        resolved(&environment, &reference),
        resolved(&environment, &staged)
    );
}

#[test]
fn claims_that_are_only_in_the_archive_count_also_when_they_have_expired() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1");
    let stranger = &strangers(&environment)[0];
    for compressed in [false, true] {
        let archive = ArchiveBuilder::two_targets().published();
        let archive = archive.payload(|payload| {
            payload.insert("exp".to_owned(), json!(1_700_000_001));
        });
        let archive = if compressed {
            archive.build_gzip()
        } else {
            archive.build()
        };
        // The archive is pushed as `wash` does.
        peer::push(&reference, &archive);
        let refused = par(&environment, ["push", &reference, text(&stranger.0)]);
        assert_refused(refused, &stranger.1);
        let ours = ours(&environment);
        let outcome = par(&environment, ["push", &reference, text(&ours)]).success();
        assert!(!outcome.stderr.contains("warning"), "{outcome}");
    }
}

#[test]
fn a_tag_of_another_artifact_moves_with_a_warning() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1");
    let ours = ours(&environment);
    let cases = [
        (
            "application/vnd.example",
            &b"anything"[..],
            "other than a provider archive",
        ),
        (peer::PAR_LAYER, b"no tar", "cannot be read"),
    ];
    for (media_type, content, reason) in cases {
        peer::push_layers(&reference, peer::PAR_CONFIG, &[(media_type, content)]);
        let outcome = par(&environment, ["push", &reference, text(&ours)]).success();
        assert!(outcome.stderr.contains(reason), "{outcome}");
        assert!(outcome.stderr.contains(" -> "), "{outcome}");
    }
}

#[test]
fn a_new_tag_needs_no_further_request_and_a_moved_one_needs_one() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("provider:1");
    let count = |method| requests_about(&registry, method, "/manifests/");
    let push = || {
        let file = ours(&environment);
        par(&environment, ["push", &reference, text(&file)]).success();
    };
    push();
    // The two requests look up the tag and compare the stored manifest.
    assert_eq!((count("GET"), count("HEAD")), (0, 2));
    push();
    assert_eq!((count("GET"), count("HEAD")), (1, 4));
}

#[test]
fn a_tag_that_cannot_be_read_moves_with_a_warning() {
    let (environment, registry) = (Environment::new(), Registry::start());
    push(
        &environment,
        &registry.reference("provider:1"),
        &ours(&environment),
    );
    let denied = |method| {
        let fault = Fault::status("403 Forbidden");
        Rule::on(method, "/provider/manifests/1", fault).always()
    };
    let proxy = Proxy::start(&registry, vec![denied("HEAD"), denied("GET")]);
    let reference = proxy.reference("provider:1");
    let (file, _) = &strangers(&environment)[0];
    let outcome = par(&environment, ["push", &reference, text(file)]).success();
    assert!(
        outcome.stderr.contains("may change its publisher"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains(&reference), "{outcome}");
    let outcome = par(
        &environment,
        ["push", &reference, text(file), "--if-absent"],
    );
    outcome.exit(4);
}

#[test]
fn a_tag_does_not_move_while_the_registry_does_not_say_what_it_names() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let local = registry.reference("provider:1");
    let before = push(&environment, &local, &ours(&environment));
    let failing = |method| {
        let fault = Fault::status("503 Service Unavailable");
        Rule::on(method, "/provider/manifests/1", fault).always()
    };
    let proxy = Proxy::start(&registry, vec![failing("HEAD"), failing("GET")]);
    let reference = proxy.reference("provider:1");
    let (file, _) = &strangers(&environment)[0];
    let arguments = ["push", &reference, text(file), "--patience", "0"];
    par(&environment, arguments).exit(6);
    assert_eq!(resolved(&environment, &local), before);
}

#[test]
fn a_copy_reports_the_tag_that_it_moves() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let (old, new) = (
        registry.reference("provider:1"),
        registry.reference("provider:2"),
    );
    let before = push(&environment, &old, &ours(&environment));
    let after = push(&environment, &new, &ours(&environment));
    assert_ne!(before, after);
    let copy = ["copy", &new, &old, "-o", "json"];
    let outcome = environment.par(copy).success();
    let moved = format!("1: {before} -> {after}");
    assert!(outcome.stderr.contains(&moved), "{outcome}");
    assert_eq!(
        outcome.json()["tags"],
        json!([{ "tag": "1", "before": before }])
    );
    let outcome = environment.par(copy).success();
    assert!(!outcome.stderr.contains(" -> "), "{outcome}");
}

#[test]
fn a_lower_revision_under_a_tag_is_a_warning() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let archive = |name: &str, revision: Option<i32>| {
        let archive = ArchiveBuilder::two_targets().published();
        let archive = archive.wascap(move |claims| {
            claims.insert("rev".to_owned(), json!(revision));
        });
        environment.write(name, archive.build())
    };
    let old = archive("old.par", Some(7));
    let (lower, none) = (archive("lower.par", Some(6)), archive("none.par", None));
    let [reference, other] = ["provider:1", "provider:2"].map(|name| registry.reference(name));
    for (new, refused) in [(&lower, "revision 6"), (&none, "no revision")] {
        push(&environment, &reference, &old);
        let pushes = ["push", &reference, text(new)];
        let said = format!("hosts that have used revision 7 of {reference} will refuse {refused}");
        for more in [&["--dry-run"][..], &[]] {
            let pushed = environment.par([&pushes[..], more].concat()).success();
            assert!(pushed.stderr.contains(&said), "{pushed}");
        }
        let higher = environment.par(["push", &reference, text(&old)]).success();
        assert!(!higher.stderr.contains("will refuse"), "{higher}");
        push(&environment, &other, new);
        let copied = par(&environment, ["copy", &other, &reference]).success();
        assert!(copied.stderr.contains(&said), "{copied}");
    }
}
