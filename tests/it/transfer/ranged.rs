//! Fetch of one executable out of several: what is downloaded, and what happens when a manifest, an index
//! or a registry does not do what it should.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Input, KeyKind, Metadata, Signer, Target,
};
use wasmcloud_par::content::Silent;

use super::{cached, digest, par, peer, push, requests_about, text};
use crate::support::archives::{ArchiveBuilder, VENDOR, noise};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry};

const TARGETS: [&str; 6] = [
    "aarch64-linux",
    "aarch64-macos",
    "riscv64gc-linux",
    "x86_64-linux",
    "x86_64-macos",
    "x86_64-windows",
];
/// The target that is fetched, and the size of its executable, which does not compress.
const TARGET: &str = "riscv64gc-linux";
const SIZE: usize = 300 * 1024;
/// What the bytes of one executable may take in the archive.
const PART: u64 = SIZE as u64 * 101 / 100;
/// What may be read of an archive's start.
const HEAD: u64 = 48 * 1024;

const INDEX: &str = "com.wasmcloud.par.index";
const CLAIMS: &str = "com.wasmcloud.par.claims";

/// An archive in a registry, on a way that counts.
struct Setup {
    environment: Environment,
    registry: Registry,
    archive: PathBuf,
    /// The digest of its manifest.
    manifest: String,
}

impl Setup {
    /// The archive was pushed by this crate.
    fn new() -> Self {
        let (environment, registry) = (Environment::new(), Registry::start());
        let archive = pack_six(&environment, "provider.par.gz", 0);
        let manifest = push(&environment, &registry.reference(NAME), &archive);
        Self {
            environment,
            registry,
            archive,
            manifest,
        }
    }

    /// It was pushed as `wash` does.
    fn by_others() -> Self {
        let (environment, registry) = (Environment::new(), Registry::start());
        let archive = pack_six(&environment, "provider.par.gz", 0);
        let bytes = fs::read(&archive).unwrap();
        let manifest = peer::push(&registry.reference(NAME), &bytes);
        Self {
            environment,
            registry,
            archive,
            manifest,
        }
    }

    /// The manifest has these annotations instead of those it has.
    fn annotated(annotations: &[(&str, &str)]) -> Self {
        let mut setup = Self::new();
        let manifest = fs::read(setup.registry.blob(&setup.manifest)).unwrap();
        let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
        for (name, value) in annotations {
            manifest["annotations"][name] = (*value).into();
        }
        let reference = setup.registry.reference(NAME);
        setup.manifest = peer::push_manifest(&reference, peer::MANIFEST, &manifest);
        setup
    }

    fn proxy(&self, rules: Vec<Rule>) -> Proxy {
        Proxy::start(&self.registry, rules)
    }

    /// What every URL that is about the archive contains.
    fn hex(&self) -> String {
        let digest = digest(&self.archive);
        digest.strip_prefix("sha256:").unwrap().to_owned()
    }

    /// Requests for the archive meet a fault.
    fn layer(&self, fault: Fault) -> Rule {
        Rule::on("GET", &self.hex(), fault)
    }

    fn size(&self) -> u64 {
        fs::metadata(&self.archive).unwrap().len()
    }

    /// Fetches, asserts that it is the right executable, and gives what was said.
    #[track_caller]
    fn fetch(&self, reference: &str) -> Value {
        let arguments = ["fetch", reference, "--target", TARGET, "-o", "json"];
        let fetched = par(&self.environment, arguments).success().json();
        let path = Path::new(fetched["file"].as_str().unwrap());
        assert!(fs::read(path).unwrap() == executable(TARGET, 0));
        fetched
    }

    /// Fetches in vain, and asserts that nothing can be run.
    #[track_caller]
    fn refused(&self, reference: &str) {
        let arguments = ["fetch", reference, "--target", TARGET];
        let outcome = par(&self.environment, arguments).exit(5);
        assert_eq!(outcome.stdout, "");
        assert_eq!(cached(&self.environment, "executables"), [""; 0]);
    }

    fn pinned(&self, proxy: &Proxy) -> String {
        proxy.reference(&format!("provider@{}", self.manifest))
    }
}

const NAME: &str = "provider:1.0.0";

fn executable(target: &str, seed: u64) -> Vec<u8> {
    noise(
        SIZE,
        seed * 100 + target.len() as u64 * 7 + u64::from(target.as_bytes()[0]),
    )
}

/// Packs six executables as this crate does, others for each seed, signed by an account of its own.
fn pack_six(environment: &Environment, name: &str, seed: u64) -> PathBuf {
    let path = environment.path(name);
    let mut writer = ArchiveWriter::new(Metadata {
        vendor: VENDOR.to_owned(),
        ..Metadata::default()
    });
    for target in TARGETS {
        let content = executable(target, seed).into();
        writer.executable(target.parse::<Target>().unwrap(), Input::Bytes(content));
    }
    let subject = KeyKind::Service.generate().public_key();
    let signer = Signer::new(KeyKind::Account.generate(), &subject).unwrap();
    writer
        .write(&path, &signer, Compression::Gzip, &Silent)
        .unwrap();
    path
}

/// What this crate writes on the manifest of an archive.
fn annotations(environment: &Environment, archive: &Path) -> (String, String) {
    let registry = Registry::start();
    let digest = push(environment, &registry.reference(NAME), archive);
    let manifest = fs::read(registry.blob(&digest)).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let annotation = |name: &str| manifest["annotations"][name].as_str().unwrap().to_owned();
    (annotation(INDEX), annotation(CLAIMS))
}

/// The token of an archive that was built for a test.
fn token(archive: &[u8]) -> String {
    let mut archive = tar::Archive::new(archive);
    let mut first = archive.entries().unwrap().next().unwrap().unwrap();
    let mut token = String::new();
    first.read_to_string(&mut token).unwrap();
    token
}

#[test]
fn one_executable_takes_its_own_bytes_and_then_no_more() {
    let setup = Setup::new();
    let proxy = setup.proxy(Vec::new());
    let reference = proxy.reference(NAME);

    let fetched = setup.fetch(&reference);

    assert_eq!(fetched["cached"], false);
    assert_eq!(fetched["digest"], setup.manifest.as_str());
    assert_eq!(proxy.seen("HEAD", "/").len(), 1);
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
    assert_eq!(proxy.seen("HEAD", "/").len(), 2);
    assert_eq!(proxy.seen("GET", "/").len(), 2);
    setup.fetch(&setup.pinned(&proxy));
    assert_eq!(
        proxy.seen("HEAD", "/").len() + proxy.seen("GET", "/").len(),
        4
    );
}

#[test]
fn the_same_archive_gets_the_same_manifest_and_the_names_of_ours_are_taken() {
    let setup = Setup::new();
    let again = setup.registry.reference("another:1.0.0");
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
}

#[test]
fn a_pinned_manifest_without_claims_binds_the_whole_archive_and_nothing_less() {
    let setup = Setup::by_others();
    let proxy = setup.proxy(Vec::new());
    setup.fetch(&setup.pinned(&proxy));
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 1);
    assert_eq!(proxy.traffic(&setup.hex()).1, setup.size());
}

#[test]
fn a_registry_that_serves_another_archive_for_a_pinned_digest_is_caught() {
    for setup in [Setup::new(), Setup::by_others()] {
        // Everything about the other one is right, but for its publisher.
        let other = pack_six(&setup.environment, "other.par.gz", 1);
        fs::copy(other, setup.registry.blob(&digest(&setup.archive))).unwrap();
        setup.refused(
            &setup
                .registry
                .reference(&format!("provider@{}", setup.manifest)),
        );
    }
}

#[test]
fn a_mirror_is_not_believed_what_an_archive_begins_with() {
    let setup = Setup::by_others();
    let copy = Registry::start();
    peer::push(&copy.reference(NAME), &fs::read(&setup.archive).unwrap());
    let other = pack_six(&setup.environment, "other.par.gz", 1);
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
fn an_index_that_leads_astray_costs_a_download_of_the_whole() {
    let environment = Environment::new();
    let shorter = pack_shorter(&environment);
    let (of_another, _) = annotations(&environment, &shorter);
    for index in [of_another.as_str(), "AQ==", "no base64!", ""] {
        let setup = Setup::annotated(&[(INDEX, index)]);
        let proxy = setup.proxy(Vec::new());
        let fetched = setup.fetch(&setup.pinned(&proxy));
        assert_eq!(fetched["downloaded"], setup.size(), "{index}");
    }
}

/// An archive whose index has the same names in other places.
fn pack_shorter(environment: &Environment) -> PathBuf {
    let path = environment.path("shorter.par.gz");
    let mut writer = ArchiveWriter::new(Metadata {
        vendor: VENDOR.to_owned(),
        ..Metadata::default()
    });
    for target in TARGETS {
        let content = noise(SIZE / 2, 9).into();
        writer.executable(target.parse::<Target>().unwrap(), Input::Bytes(content));
    }
    let subject = KeyKind::Service.generate().public_key();
    let signer = Signer::new(KeyKind::Account.generate(), &subject).unwrap();
    writer
        .write(&path, &signer, Compression::Gzip, &Silent)
        .unwrap();
    path
}

#[test]
fn claims_on_a_manifest_that_are_not_those_of_the_archive_are_worth_nothing() {
    let environment = Environment::new();
    let other = pack_six(&environment, "other.par.gz", 1);
    let (_, of_another) = annotations(&environment, &other);
    let (signed, _) = of_another.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(86));
    for claims in [&forged, &of_another, "no.token.at all", ""] {
        let setup = Setup::annotated(&[(CLAIMS, claims)]);
        let jwt = ["inspect", text(&setup.archive), "-o", "json"];
        let own = par(&setup.environment, jwt).success().json();
        let proxy = setup.proxy(Vec::new());
        for reference in [proxy.reference(NAME), setup.pinned(&proxy)] {
            let fetched = setup.fetch(&reference);
            assert_eq!(fetched["issuer"], own["issuer"], "{claims}");
        }
    }
}

#[test]
fn claims_that_have_expired_or_lack_the_target_end_it_before_anything_is_downloaded() {
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
fn a_registry_without_ranges_or_with_wrong_bytes_costs_a_download_of_the_whole() {
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
fn without_annotations_and_ranges_the_whole_is_downloaded() {
    let setup = Setup::by_others();
    let ignored = Fault::Edit(|request| request.remove("range"), |_| {});
    let proxy = setup.proxy(vec![setup.layer(ignored).always()]);
    let fetched = setup.fetch(&proxy.reference(NAME));
    assert_eq!(fetched["downloaded"], setup.size());
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 2);
}

#[test]
fn a_part_goes_on_where_it_broke_off_in_this_process_and_in_the_next() {
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
    assert!(outcome.stderr.contains("continued"), "{outcome}");
    assert_eq!(cached(&setup.environment, "executables"), [""; 0]);
    let straight = setup.proxy(Vec::new());
    setup.fetch(&setup.pinned(&straight));
    assert_eq!(straight.seen("GET", "/blobs/").len(), 1);
    assert!(straight.traffic(&setup.hex()).1 <= PART * 15 / 100);
}

#[test]
fn a_publisher_who_is_not_trusted_is_refused_before_anything_is_downloaded() {
    use wasmcloud_par::client::{Client, ClientOptions, TrustPolicy};

    let setup = Setup::new();
    let proxy = setup.proxy(Vec::new());
    let stranger = KeyKind::Account.generate().public_key();
    let trust = TrustPolicy {
        issuers: vec![stranger],
    };
    let cache = setup.environment.path("cache");
    let mut options = ClientOptions {
        cache_directory: Some(cache.clone()),
        trust,
        ..ClientOptions::default()
    };
    options.registry.credentials.registry_config = Some(cache.join("no-config.json"));
    let client = Client::new(options).unwrap();
    let reference = proxy.reference(NAME).parse().unwrap();
    let target = TARGET.parse().unwrap();
    let error = super::block_on(client.fetch(&reference, &target)).unwrap_err();
    assert_eq!(error.kind().name(), "not_verified");
    assert_eq!(proxy.seen("GET", "/blobs/").len(), 0);
}

#[test]
fn what_was_received_and_is_damaged_is_thrown_away() {
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
