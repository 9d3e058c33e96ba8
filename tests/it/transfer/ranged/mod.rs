//! One executable out of several, and what an archive says of itself: what is downloaded for that, and what
//! happens when a manifest, an index or a registry does not do what it should.

mod fetching;
mod inspecting;
mod lies;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Input, KeyKind, Metadata, Signer, Target, encode_world,
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
/// What the bytes of one executable may take in the archive.
const PART: u64 = SIZE as u64 * 101 / 100;
/// What may be read of an archive's start.
const HEAD: u64 = 48 * 1024;

const WIT: &str =
    "package acme:store@0.1.0;\n\nworld store {\n  export keep: func(what: string);\n}\n";

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
        Self::of("provider.par.gz")
    }

    /// The same; the name says whether the archive is compressed.
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

    /// It was pushed as `wash` does.
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

    /// Whether the manifest says nothing of the archive.
    fn is_by_others(&self) -> bool {
        let manifest = fs::read_to_string(self.registry.blob(&self.manifest));
        !manifest.unwrap().contains(CLAIMS)
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

fn executable(target: &str, seed: u64) -> Vec<u8> {
    content(target, SIZE, seed)
}

/// Other bytes for each target and each seed.
fn content(target: &str, size: usize, seed: u64) -> Vec<u8> {
    let position = TARGETS.iter().position(|known| *known == target).unwrap();
    noise(size, seed * 10 + position as u64)
}

/// Packs six executables of this size, others for each seed, and a world, as this crate does, signed by an
/// account of its own. Compresses them if the name says so.
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
    let subject = KeyKind::Service.generate().public_key();
    let signer = Signer::new(KeyKind::Account.generate(), subject.parse().unwrap()).unwrap();
    let compression = match name.ends_with(".gz") {
        true => Compression::Gzip,
        false => Compression::None,
    };
    writer.write(&path, &signer, compression, &Silent).unwrap();
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
