//! Attachments of manifests: attaching, discovering and fetching them.

mod attach;
mod bills;
mod discover;
mod fetch;
mod files;
mod inspect;
mod peers;
mod push;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value;
use wasmcloud_par::content::Descriptor;
use wasmcloud_par::content::internals::Push;
use wasmcloud_par::oci::internals::Registries;
use wasmcloud_par::oci::{Reference, RegistryOptions};

use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, Registry, block_on};
use crate::transfer::peer::MANIFEST;
use crate::transfer::{par, push as push_archive, text};

/// The type of the attachments of these tests.
const KIND: &str = "application/vnd.example.note+json";
/// Another type.
const OTHER: &str = "application/vnd.example.other";

/// A registry without a referrers API, and an archive in it.
struct Setup {
    environment: Environment,
    registry: Registry,
    reference: String,
    /// The digest of the manifest of the archive.
    digest: String,
}

impl Setup {
    fn new() -> Self {
        let (environment, registry) = (Environment::new(), Registry::start());
        let reference = registry.reference("org/provider:1.0.0");
        let digest = push_archive(&environment, &reference, &archive(&environment));
        Self {
            environment,
            registry,
            reference,
            digest,
        }
    }

    /// Returns the reference of a manifest of the repository by its digest.
    fn pinned(&self, digest: &str) -> String {
        format!("{}@{digest}", self.registry.reference("org/provider"))
    }

    /// Returns the manifest of this digest as the registry has it.
    fn manifest(&self, digest: &str) -> Value {
        serde_json::from_slice(&fs::read(self.registry.blob(digest)).unwrap()).unwrap()
    }

    /// Attaches a file with this content.
    #[track_caller]
    fn attach(&self, reference: &str, name: &str, kind: &str) -> String {
        let file = self
            .environment
            .write(name, format!("{{\"name\":\"{name}\"}}\n"));
        attach(&self.environment, reference, &file, kind)
    }

    /// Returns the answer of `par discover` about the archive.
    #[track_caller]
    fn discover(&self, more: &[&str]) -> Value {
        let arguments = [&["discover", &self.reference, "-o", "json"], more].concat();
        self.environment.par(arguments).success().json()
    }
}

fn archive(environment: &Environment) -> PathBuf {
    let archive = ArchiveBuilder::two_targets().published().build();
    environment.write("provider.par", archive)
}

/// Attaches a file, and returns the digest of the attachment.
#[track_caller]
fn attach(environment: &Environment, reference: &str, file: &Path, kind: &str) -> String {
    let outcome = par(
        environment,
        ["attach", reference, text(file), "--type", kind],
    )
    .success();
    digest_of(&outcome)
}

/// Returns the digest at the end of the only printed line.
#[track_caller]
fn digest_of(outcome: &Outcome) -> String {
    let (_, digest) = outcome.line().rsplit_once('@').unwrap();
    digest.to_owned()
}

/// Returns the digests of the attachments in an answer of `par discover`, in the order of the tree.
fn digests(discovered: &Value) -> Vec<String> {
    let attached = discovered["attached"].as_array().unwrap();
    let attached = attached.iter().flat_map(|below| {
        let own = below["digest"].as_str().unwrap().to_owned();
        std::iter::once(own).chain(digests(below))
    });
    attached.collect()
}

/// Pushes a manifest to the repository of the archive, which has its content already. Returns the digest.
fn put_manifest(setup: &Setup, manifest: &Value) -> String {
    let bytes = Bytes::from(manifest.to_string());
    let descriptor = Descriptor::of(MANIFEST, &bytes);
    let Ok(Reference::Registry(place)) = setup.reference.parse() else {
        panic!("{} is in a registry", setup.reference);
    };
    block_on(async {
        let registries = Registries::new(RegistryOptions::default()).unwrap();
        let repository = registries.repository(&place);
        repository
            .put_manifest(&descriptor, &bytes, None)
            .await
            .unwrap();
    });
    descriptor.digest.to_string()
}
