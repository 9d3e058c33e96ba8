//! Fetching one executable and inspecting without a full download: which bytes are requested, and what happens
//! when a manifest, an index or a registry serves wrong content.

mod fetching;
mod inspecting;
mod wrong_content;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wasmcloud_par::archive::encode_world;
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Input, Key, KeyKind, Metadata, Signer, Target,
};
use wasmcloud_par::content::Silent;

use super::{cached, digest, par, peer, push};
use crate::support::archives::{VENDOR, noise};
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
const NAME: &str = "provider:1.0.0";
/// The target that is fetched, and the size of its executable, which does not compress.
const TARGET: &str = "riscv64gc-linux";
const SIZE: usize = 300 * 1024;
/// The largest size of one executable in the archive, in bytes.
const PART: u64 = SIZE as u64 * 101 / 100;
/// The largest part of an archive's start that may be read, in bytes.
const HEAD: u64 = 48 * 1024;

const WIT: &str =
    "package acme:store@0.1.0;\n\nworld store {\n  export keep: func(what: string);\n}\n";

const INDEX: &str = "com.wasmcloud.par.index";
const CLAIMS: &str = "com.wasmcloud.par.claims";

/// Returns the expected answer about an archive in a registry, from the `answer` about its file.
fn answered_by(reference: &str, mut answer: Value) -> Value {
    answer["from"] = [reference.split('/').next().unwrap()].into_iter().collect();
    answer["stale"] = false.into();
    answer
}

/// An archive in a registry, whose traffic is counted.
struct Setup {
    environment: Environment,
    registry: Registry,
    archive: PathBuf,
    /// The digest of the manifest.
    manifest: String,
}

impl Setup {
    /// Pushes a compressed archive with this crate.
    fn new() -> Self {
        Self::of("provider.par.gz")
    }

    /// Pushes an archive with this crate, compressed if `name` says so.
    fn of(name: &str) -> Self {
        let (environment, registry) = (Environment::new(), Registry::start());
        let archive = pack_six(&environment, name, SIZE, 0);
        let manifest = push(&environment, &registry.reference(NAME), &archive);
        Self {
            environment,
            registry,
            archive,
            manifest,
        }
    }

    /// Pushes an archive as `wash` does.
    fn by_others() -> Self {
        let (environment, registry) = (Environment::new(), Registry::start());
        let archive = pack_six(&environment, "provider.par.gz", SIZE, 0);
        let bytes = fs::read(&archive).unwrap();
        let manifest = peer::push(&registry.reference(NAME), &bytes);
        Self {
            environment,
            registry,
            archive,
            manifest,
        }
    }

    /// Pushes an archive whose manifest has only these annotations.
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

    /// Whether the manifest has no annotations of this crate.
    fn is_by_others(&self) -> bool {
        let manifest = fs::read_to_string(self.registry.blob(&self.manifest));
        !manifest.unwrap().contains(CLAIMS)
    }

    fn proxy(&self, rules: Vec<Rule>) -> Proxy {
        Proxy::start(&self.registry, rules)
    }

    /// Returns the text that every URL of the archive contains.
    fn hex(&self) -> String {
        let digest = digest(&self.archive);
        digest.strip_prefix("sha256:").unwrap().to_owned()
    }

    /// Returns a rule by which requests for the archive meet a fault.
    fn layer(&self, fault: Fault) -> Rule {
        Rule::on("GET", &self.hex(), fault)
    }

    fn size(&self) -> u64 {
        fs::metadata(&self.archive).unwrap().len()
    }

    /// Fetches, asserts that the executable is right, and returns the answer.
    #[track_caller]
    fn fetch(&self, reference: &str) -> Value {
        let arguments = ["fetch", reference, "--target", TARGET, "-o", "json"];
        let fetched = par(&self.environment, arguments).success().json();
        let path = Path::new(fetched["file"].as_str().unwrap());
        assert!(fs::read(path).unwrap() == executable(TARGET, 0));
        fetched
    }

    /// Asserts that a fetch fails and leaves no executable.
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

fn executable(target: &str, seed: u64) -> Vec<u8> {
    content(target, SIZE, seed)
}

/// Returns bytes that depend on the target and on the seed.
fn content(target: &str, size: usize, seed: u64) -> Vec<u8> {
    let position = TARGETS.iter().position(|known| *known == target).unwrap();
    noise(size, seed * 10 + position as u64)
}

/// Packs six executables of this size, which differ for each seed, and a world. The issuer is new each time. The
/// archive is compressed if `name` says so.
fn pack_six(environment: &Environment, name: &str, size: usize, seed: u64) -> PathBuf {
    let path = environment.path(name);
    environment.write("wit/store.wit", WIT);
    let mut writer = ArchiveWriter::new(Metadata {
        vendor: VENDOR.to_owned(),
        ..Metadata::default()
    });
    for target in TARGETS {
        let content = content(target, size, seed).into();
        writer.executable(target.parse::<Target>().unwrap(), Input::Bytes(content));
    }
    writer.world(encode_world(&environment.path("wit")).unwrap());
    let subject = Key::generate(KeyKind::Service).public_key();
    let signer = Signer::new(Key::generate(KeyKind::Account), subject.parse().unwrap()).unwrap();
    let compression = if name.ends_with(".gz") {
        Compression::Gzip
    } else {
        Compression::None
    };
    writer.write(&path, &signer, compression, &Silent).unwrap();
    path
}

/// Returns the annotations that this crate writes on the manifest of an archive.
fn annotations(environment: &Environment, archive: &Path) -> (String, String) {
    let registry = Registry::start();
    let digest = push(environment, &registry.reference(NAME), archive);
    let manifest = fs::read(registry.blob(&digest)).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let annotation = |name: &str| manifest["annotations"][name].as_str().unwrap().to_owned();
    (annotation(INDEX), annotation(CLAIMS))
}

/// Returns an answer of `par inspect` about a reference without the fields of the manifest, which an answer about a
/// file does not have.
fn without_manifest(mut answer: Value) -> Value {
    for key in ["digest", "annotations", "attached"] {
        answer.as_object_mut().unwrap().remove(key).unwrap();
    }
    answer
}

/// Returns the token of an archive that was built for a test.
fn token(archive: &[u8]) -> String {
    let mut archive = tar::Archive::new(archive);
    let mut first = archive.entries().unwrap().next().unwrap().unwrap();
    let mut token = String::new();
    first.read_to_string(&mut token).unwrap();
    token
}
