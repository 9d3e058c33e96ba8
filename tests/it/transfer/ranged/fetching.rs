//! Fetch of one executable: only its own bytes are downloaded.

use std::fs;

use wasmcloud_par::archive::{Key, KeyKind};
use wasmcloud_par::client::{Client, ClientOptions};
use wasmcloud_par::trust::TrustPolicy;

use super::{
    CLAIMS, HEAD, INDEX, NAME, PART, SIZE, Setup, TARGET, annotations, executable, pack_six, peer,
};
use crate::support::proxy::{Fault, Rule};
use crate::support::{Outcome, block_on};
use crate::transfer::{cached, par, push, text};

#[test]
fn only_the_bytes_of_one_executable_are_downloaded_and_only_once() {
    let setup = Setup::new();
    let proxy = setup.proxy(Vec::new());
    let reference = proxy.reference(NAME);

    let fetched = setup.fetch(&reference);

    assert_eq!(fetched["cached"], false);
    assert_eq!(fetched["digest"], setup.manifest.as_str());
    assert_eq!(proxy.seen("HEAD", "/").len(), 0);
    assert_eq!(proxy.seen("GET", "/manifests/").len(), 1);
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 1);
    let (_, down) = proxy.traffic(&setup.hex());
    assert!((SIZE as u64..=PART).contains(&down), "{down}");
    assert_eq!(fetched["downloaded"], down);
    let manifest = setup.manifest.strip_prefix("sha256:").unwrap();
    assert_eq!(cached(&setup.environment, "blobs"), [manifest]);
    let files = setup.environment.files();
    assert!(
        !files.iter().any(|file| file.contains("partial")),
        "{files:?}"
    );

    let again = setup.fetch(&reference);
    assert_eq!(
        (&again["cached"], &again["downloaded"]),
        (&true.into(), &0.into())
    );
    assert_eq!(again["issuer"], fetched["issuer"]);
    assert_eq!(proxy.seen("HEAD", "/").len(), 1);
    assert_eq!(proxy.seen("GET", "/").len(), 2);
    setup.fetch(&setup.pinned(&proxy));
    assert_eq!(
        proxy.seen("HEAD", "/").len() + proxy.seen("GET", "/").len(),
        3
    );
}

#[test]
fn only_the_bytes_of_one_executable_are_downloaded_from_an_uncompressed_archive() {
    let setup = Setup::of("provider.par");
    let proxy = setup.proxy(Vec::new());

    let fetched = setup.fetch(&setup.pinned(&proxy));

    assert_eq!(proxy.seen("GET", "/blobs/").len(), 1);
    assert_eq!(proxy.traffic(&setup.hex()).1, SIZE as u64);
    assert_eq!(fetched["downloaded"], SIZE);

    // An archive from a pipe gets the same annotations.
    let piped = setup.registry.reference("piped:1.0.0");
    let archive = fs::read(&setup.archive).unwrap();
    let mut push = setup.environment.command();
    push.args(["push", &piped, "-"]);
    Outcome::of(push, &archive).success();
    let piped = setup.fetch(&piped);
    assert_eq!(piped["cached"], true);
    assert_eq!(piped["downloaded"], 0);
}

#[test]
fn pushing_an_archive_twice_gives_one_manifest_and_reserved_annotations_are_refused() {
    let setup = Setup::new();
    let again = setup.registry.reference("provider:another");
    assert_eq!(
        push(&setup.environment, &again, &setup.archive),
        setup.manifest
    );
    let archive = text(&setup.archive);
    let jwt = par(&setup.environment, ["inspect", archive, "--jwt-only"]).success();
    let (_, claims) = annotations(&setup.environment, &setup.archive);
    assert_eq!(claims, jwt.line());
    for name in [INDEX, CLAIMS] {
        let annotation = format!("{name}=mine");
        let arguments = ["push", &again, archive, "-a", &annotation];
        let outcome = par(&setup.environment, arguments).exit(2);
        assert!(outcome.stderr.contains(name), "{outcome}");
    }
}

#[test]
fn without_annotations_the_start_of_the_archive_leads_to_the_executable() {
    let setup = Setup::by_others();
    let proxy = setup.proxy(Vec::new());
    let fetched = setup.fetch(&proxy.reference(NAME));
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 2);
    let (_, down) = proxy.traffic(&setup.hex());
    assert!(down <= PART + HEAD, "{down}");
    assert_eq!(fetched["downloaded"], down);

    // The start is recorded for this tag only.
    let again = setup.fetch(&proxy.reference(NAME));
    assert_eq!(again["cached"], true);
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 2);
    let reference = proxy.reference(NAME);
    let another = ["fetch", &reference, "--target", "x86_64-linux"];
    par(&setup.environment, another).success();
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 3);
    assert!(proxy.traffic(&setup.hex()).1 <= 2 * PART + HEAD);
    let pinned = setup.fetch(&setup.pinned(&proxy));
    assert_eq!(pinned["downloaded"], setup.size());
}

#[test]
fn a_pinned_manifest_without_claims_needs_the_whole_archive() {
    let setup = Setup::by_others();
    let proxy = setup.proxy(Vec::new());
    setup.fetch(&setup.pinned(&proxy));
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 1);
    assert_eq!(proxy.traffic(&setup.hex()).1, setup.size());
}

#[test]
fn a_partial_download_continues_in_this_process_and_in_the_next() {
    let setup = Setup::new();
    let most = SIZE as u64 * 9 / 10;
    let cut = setup.proxy(vec![setup.layer(Fault::CutAnswer(most))]);
    setup.fetch(&setup.pinned(&cut));
    assert!(cut.traffic(&setup.hex()).1 <= PART * 115 / 100);

    let setup = Setup::new();
    let cut = setup.proxy(vec![setup.layer(Fault::CutAnswer(most))]);
    let arguments = [
        "fetch",
        &setup.pinned(&cut),
        "--target",
        TARGET,
        "--patience",
        "0",
    ];
    let outcome = par(&setup.environment, arguments).exit(6);
    assert!(
        outcome.stderr.contains("the download continues"),
        "{outcome}"
    );
    assert_eq!(cached(&setup.environment, "executables"), [""; 0]);
    let straight = setup.proxy(Vec::new());
    setup.fetch(&setup.pinned(&straight));
    assert_eq!(straight.seen("GET", "/blobs/").len(), 1);
    assert!(straight.traffic(&setup.hex()).1 <= PART * 15 / 100);
}

#[test]
fn a_partial_download_stays_when_no_registry_may_be_asked_or_access_is_denied() {
    let setup = Setup::new();
    let most = SIZE as u64 * 9 / 10;
    let denied = Fault::status("403 Forbidden");
    let proxy = setup.proxy(vec![
        setup.layer(Fault::CutAnswer(most)),
        setup.layer(denied).times(2),
    ]);
    let reference = setup.pinned(&proxy);
    let fetch = ["fetch", &reference, "--target", TARGET];
    let patience = [&fetch[..], &["--patience", "0"]].concat();
    setup.environment.par(patience).exit(6);
    let offline = [&fetch[..], &["--pull", "never"]].concat();
    setup.environment.par(offline).exit(3);
    // The range and the whole archive are denied.
    par(&setup.environment, fetch).exit(4);
    let before = proxy.traffic(&setup.hex()).1;
    setup.fetch(&reference);
    assert!(proxy.traffic(&setup.hex()).1 - before <= PART * 15 / 100);
}

#[test]
fn an_untrusted_publisher_is_refused_before_anything_is_downloaded() {
    let setup = Setup::new();
    let proxy = setup.proxy(Vec::new());
    let stranger = Key::generate(KeyKind::Account).public_key();
    let mut trust = TrustPolicy::default();
    trust.issuers = vec![stranger];
    let cache = setup.environment.path("cache");
    let mut options = ClientOptions::default()
        .cache_directory(&cache)
        .trust(trust);
    options.registry.credentials.registry_config = Some(cache.join("no-config.json"));
    let client = Client::new(options).unwrap();
    let reference = proxy.reference(NAME).parse().unwrap();
    let target = TARGET.parse().unwrap();
    let error = block_on(client.fetch(&reference, &target)).unwrap_err();
    assert_eq!(error.kind().name(), "not_verified");
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 0);
}

#[test]
fn the_start_of_an_interrupted_update_does_not_replace_the_recorded_one() {
    let setup = Setup::by_others();
    // Three requests succeed: for the start of the first version, its executable, and the start of the second version.
    let away = Fault::status("503 Service Unavailable");
    let rule = Rule::on("GET", "/blobs/", away).after(3).always();
    let proxy = setup.proxy(vec![rule]);
    let reference = proxy.reference(NAME);
    setup.fetch(&reference);
    let update = pack_six(&setup.environment, "update.par.gz", SIZE, 1);
    peer::push(&setup.registry.reference(NAME), &fs::read(update).unwrap());

    let online = ["fetch", &reference, "--target", TARGET, "--patience", "0"];
    par(&setup.environment, online).exit(6);
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 4);
    let offline = ["fetch", &reference, "--target", TARGET, "--pull", "never"];
    let outcome = par(&setup.environment, offline).success();
    assert!(fs::read(outcome.line()).unwrap() == executable(TARGET, 0));
}
