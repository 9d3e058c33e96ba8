//! Manifests, indexes, mirrors and registries that serve wrong content.

use std::fs;

use super::{
    CLAIMS, INDEX, NAME, SIZE, Setup, TARGET, annotations, answered_by, executable, pack_six,
    token, without_manifest,
};
use crate::hosts::configure;
use crate::support::archives::ArchiveBuilder;
use crate::support::proxy::{Fault, Rule};
use crate::support::sigstore::{self, IDENTITY, ISSUER, Sigstore, WrongAnswer};
use crate::support::{Environment, Registry};
use crate::transfer::{digest, par, peer, requests_about, text};

#[test]
fn a_registry_that_serves_another_archive_for_a_pinned_digest_is_caught() {
    for setup in [Setup::new(), Setup::by_others()] {
        // The other archive is valid, but has another publisher.
        let other = pack_six(&setup.environment, "other.par.gz", SIZE, 1);
        fs::copy(other, setup.registry.blob(&digest(&setup.archive))).unwrap();
        setup.refused(
            &setup
                .registry
                .reference(&format!("provider@{}", setup.manifest)),
        );
    }
}

#[test]
fn the_start_of_an_archive_does_not_count_where_an_identity_must_have_signed_the_manifest() {
    let setup = Setup::by_others();
    let (environment, reference) = (&setup.environment, setup.registry.reference(NAME));
    let sigstore = Sigstore::start(&environment.path("sigstore"), WrongAnswer::None);
    environment.write("token", sigstore::token(300));
    environment.write("predicate.json", "{}");
    let attest = ["attest", &reference, "--identity-token", "token"];
    let predicate = [
        "--predicate",
        "predicate.json",
        "--type",
        "https://a.test/audit",
    ];
    let arguments = [&attest[..], &predicate, &sigstore.options()].concat();
    environment.par(arguments).success();
    let policy = format!(
        "[[rule]]\nmatch = \"*\"\n[[rule.identity]]\nissuer = {ISSUER:?}\nsubject = {IDENTITY:?}\nroot = {:?}\n",
        sigstore.trusted_root()
    );
    let policy = environment.write("trust.toml", policy);
    let fetch = [
        "fetch",
        &reference,
        "--target",
        TARGET,
        "--trust",
        text(&policy),
    ];

    // The identity has signed the manifest, but the registry serves another archive for the layer.
    let layer = setup.registry.blob(&digest(&setup.archive));
    let other = pack_six(environment, "other.par.gz", SIZE, 1);
    fs::copy(other, &layer).unwrap();
    let refused = environment.par(fetch).exit(5);
    assert_eq!(refused.stdout, "");
    fs::copy(&setup.archive, &layer).unwrap();
    environment.par(fetch).success();
}

#[test]
fn the_start_of_an_archive_from_a_mirror_does_not_count() {
    let setup = Setup::by_others();
    let copy = Registry::start();
    peer::push(&copy.reference(NAME), &fs::read(&setup.archive).unwrap());
    let other = pack_six(&setup.environment, "other.par.gz", SIZE, 1);
    fs::copy(other, copy.blob(&digest(&setup.archive))).unwrap();
    let hosts = format!(".config/wasmcloud-par/hosts/{}", setup.registry.address());
    let hosts = setup.environment.home().join(hosts);
    fs::create_dir_all(&hosts).unwrap();
    let mirror = format!(
        "[host.\"http://{}\"]\ncapabilities = [\"pull\"]",
        copy.address()
    );
    fs::write(hosts.join("hosts.toml"), mirror).unwrap();

    setup.fetch(&setup.registry.reference(NAME));

    let layer = digest(&setup.archive);
    assert_eq!(requests_about(&copy, "GET", &layer), 1);
}

#[test]
fn the_start_of_an_archive_from_redirected_storage_does_not_count() {
    let environment = Environment::new();
    let other = pack_six(&environment, "other.par.gz", SIZE, 1);
    let setup = Setup::by_others();
    let file = ["inspect", text(&setup.archive), "-o", "json"];
    let own = par(&setup.environment, file).success().json();
    let (hex, layer) = (setup.hex(), digest(&setup.archive));
    let strangers = setup.registry.reference("strangers:1");
    peer::push(&strangers, &fs::read(&other).unwrap());
    let storage = Registry::start();
    peer::push(&storage.reference(NAME), &fs::read(&setup.archive).unwrap());
    fs::copy(&other, storage.blob(&layer)).unwrap();
    for place in [
        format!("http://{}/v2/provider/blobs/{layer}", storage.address()),
        // Storage may also redirect back to the registry, to content that it has put there.
        format!("/v2/strangers/blobs/{}", digest(&other)),
    ] {
        let redirect = Fault::answer("307 Temporary Redirect", "location", place);
        for cuts in [0, 1] {
            let cut = Rule::on("GET", &hex, Fault::CutAnswer(1000)).times(cuts);
            let proxy = setup.proxy(vec![cut, setup.layer(redirect.clone())]);
            let environment = Environment::new();
            let reference = proxy.reference(NAME);
            let inspect = ["inspect", &reference, "-o", "json"];
            let inspected = par(&environment, inspect).success().json();
            assert_eq!(
                without_manifest(inspected),
                answered_by(&reference, own.clone())
            );
            let files = environment.files();
            let kept = files.iter().filter(|file| file.contains("/heads/"));
            assert_eq!(kept.count(), 0, "{files:?}");
        }
    }
}

#[test]
fn a_wrong_index_leads_to_a_full_download() {
    let environment = Environment::new();
    // The names are at wrong positions.
    let shorter = pack_six(&environment, "shorter.par.gz", SIZE / 2, 0);
    let (of_another, _) = annotations(&environment, &shorter);
    for index in [of_another.as_str(), "AQ==", "no base64!", ""] {
        let setup = Setup::annotated(&[(INDEX, index)]);
        let proxy = setup.proxy(Vec::new());
        let fetched = setup.fetch(&setup.pinned(&proxy));
        assert_eq!(fetched["downloaded"], setup.size(), "{index}");
    }
}

#[test]
fn unsigned_claims_on_a_manifest_are_ignored() {
    let environment = Environment::new();
    let other = pack_six(&environment, "other.par.gz", SIZE, 1);
    let (_, of_another) = annotations(&environment, &other);
    let (signed, _) = of_another.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(86));
    for claims in [&forged, "no.token.at all", ""] {
        let setup = Setup::annotated(&[(CLAIMS, claims)]);
        let jwt = ["inspect", text(&setup.archive), "-o", "json"];
        let own = par(&setup.environment, jwt).success().json();
        let proxy = setup.proxy(Vec::new());
        for reference in [proxy.reference(NAME), setup.pinned(&proxy)] {
            let fetched = setup.fetch(&reference);
            assert_eq!(fetched["issuer"], own["issuer"], "{claims}");
        }
        let verified = par(&setup.environment, ["verify", &proxy.reference(NAME)]).success();
        assert!(verified.stderr.contains("do not verify"), "{verified}");
    }
}

#[test]
fn signed_claims_on_a_manifest_are_refused_wherever_the_archive_has_others() {
    let environment = Environment::new();
    let other = pack_six(&environment, "other.par.gz", SIZE, 1);
    let (_, of_another) = annotations(&environment, &other);
    let setup = Setup::annotated(&[(CLAIMS, &of_another)]);
    let proxy = setup.proxy(Vec::new());
    setup.refused(&setup.pinned(&proxy));
    let reference = proxy.reference(NAME);
    for command in ["fetch", "pull", "extract", "verify"] {
        let options = ["--target", TARGET];
        let options = if matches!(command, "fetch" | "extract") {
            &options[..]
        } else {
            &[]
        };
        let arguments = [&[command, &reference][..], options].concat();
        let refused = setup.environment.par(arguments).exit(5);
        assert_eq!(refused.stdout, "");
        assert!(refused.stderr.contains("other claims than"), "{refused}");
        assert!(refused.stderr.contains("ask the publisher"), "{refused}");
    }
    let written = |file: &String| file.contains("work/provider-") || file.ends_with("provider.par");
    assert!(!setup.environment.files().iter().any(written));
}

#[test]
fn expired_claims_and_absent_targets_are_refused_before_anything_is_downloaded() {
    let archive = ArchiveBuilder::two_targets();
    let expired = archive.payload(|payload| drop(payload.insert("exp".to_owned(), 1.into())));
    let other = ArchiveBuilder::two_targets().build();
    for (claims, code) in [(token(&expired.build()), 5), (token(&other), 3)] {
        let setup = Setup::annotated(&[(CLAIMS, &claims)]);
        let proxy = setup.proxy(Vec::new());
        let arguments = ["fetch", &proxy.reference(NAME), "--target", TARGET];
        par(&setup.environment, arguments).exit(code);
        assert_eq!(proxy.seen("GET", "/blobs/").len(), 0);
    }
}

#[test]
fn a_registry_without_ranges_or_with_wrong_bytes_leads_to_a_full_download() {
    let ignored = Fault::Edit(|request| request.remove("range"), |_| {});
    let shifted = Fault::edit(|answer| answer.set("content-range", "bytes 0-1/2"));
    for fault in [
        ignored,
        shifted,
        Fault::status("416 No"),
        Fault::FlipAnswer(SIZE as u64 / 2),
        Fault::FlipAnswer(0),
        Fault::ShortAnswer(1000),
    ] {
        let setup = Setup::new();
        let proxy = setup.proxy(vec![setup.layer(fault.clone())]);
        let arguments = ["fetch", &setup.pinned(&proxy), "--target", TARGET];
        let fetched = par(&setup.environment, arguments).success();
        let right = executable(TARGET, 0);
        assert!(fs::read(fetched.line()).unwrap() == right, "{fault:?}");
        let files = setup.environment.files();
        assert!(
            !files.iter().any(|file| file.contains("partial")),
            "{fault:?}"
        );
    }
}

#[test]
fn a_mirror_without_ranges_sends_the_whole_archive_when_the_registry_gives_no_answer() {
    let setup = Setup::new();
    let ignored = Fault::Edit(|request| request.remove("range"), |_| {});
    let mirror = setup.proxy(vec![setup.layer(ignored).always()]);
    let away = Rule::on("GET", "/", Fault::status("503 Away")).always();
    let origin = setup.proxy(vec![away]);
    let hosts = format!("[host.\"http://{}\"]", mirror.address());
    configure(&setup.environment, origin.address(), &hosts);

    let pinned = setup.pinned(&origin);
    let fetch = ["fetch", &pinned, "--target", TARGET, "--patience", "0"];
    let fetched = par(&setup.environment, fetch).success();

    assert!(fs::read(fetched.line()).unwrap() == executable(TARGET, 0));
    // The mirror is not avoided, so the registry is asked for the range only.
    assert_eq!(mirror.seen("GET", &setup.hex()).len(), 2);
    assert_eq!(origin.seen("GET", &setup.hex()).len(), 1);
}

#[test]
fn without_annotations_and_ranges_the_whole_archive_is_downloaded() {
    let setup = Setup::by_others();
    let ignored = Fault::Edit(|request| request.remove("range"), |_| {});
    let proxy = setup.proxy(vec![setup.layer(ignored).always()]);
    let fetched = setup.fetch(&proxy.reference(NAME));
    assert_eq!(fetched["downloaded"], setup.size());
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 2);
}

#[test]
fn a_damaged_partial_download_is_removed() {
    let setup = Setup::new();
    let proxy = setup.proxy(vec![setup.layer(Fault::CutAnswer(SIZE as u64 / 2))]);
    let pinned = setup.pinned(&proxy);
    let arguments = ["fetch", &pinned, "--target", TARGET, "--patience", "0"];
    par(&setup.environment, arguments).exit(6);
    let partial = setup.environment.home();
    let partial = partial.join(".cache/wasmcloud-par/v1/partial/sha256");
    let mut files = fs::read_dir(partial).unwrap();
    let file = files.next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    bytes[1000] ^= 1;
    fs::write(&file, bytes).unwrap();
    setup.fetch(&pinned);
    assert!(!file.exists());
}
