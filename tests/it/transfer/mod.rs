//! Archives on their way: client, cache and stores against real registries and the peers' crates.

mod annotating;
mod catalogue;
mod copying;
mod credentials;
mod damage;
mod dates;
mod dropping;
mod exporting;
mod fetching;
pub(crate) mod hosting;
mod identity;
mod interrupted;
mod layout_files;
mod layouts;
mod link;
mod listing;
mod locking;
mod memory;
mod mounting;
mod naming;
mod never_asking;

pub(crate) mod peer;
mod peers;
mod piping;
mod places;
mod progress;
mod pulling;
mod push_steps;
mod pushing;
mod ranged;
mod refused;
mod resuming;
mod secrets;
mod sha512;
mod sides;
mod spans;
mod tagging;
mod together;
mod tokens;
mod trust;
mod untagging;

use std::fs;
use std::path::{Path, PathBuf};

use wasmcloud_par::archive::{ArchiveWriter, Compression, Input, Limits, Metadata, Target};
use wasmcloud_par::client::{Client, ClientOptions};
use wasmcloud_par::content::{Digest, Silent};
use wasmcloud_par::trust::TrustPolicy;

use crate::support::archives::{ArchiveBuilder, VENDOR, noise, publishing};
use crate::support::{Environment, Outcome, Registry, block_on};

/// Packs an executable for this machine with this crate, and returns the path of the archive.
pub(crate) fn pack(environment: &Environment, name: &str, executable: &Path) -> PathBuf {
    let path = environment.path(name);
    let mut writer = ArchiveWriter::new(Metadata {
        name: Some("Test Provider".to_owned()),
        vendor: VENDOR.to_owned(),
        ..Metadata::default()
    });
    writer.executable(Target::host(), Input::File(executable.to_owned()));
    let compression = if name.ends_with(".gz") {
        Compression::Gzip
    } else {
        Compression::None
    };
    writer
        .write(&path, &publishing(), compression, &Silent)
        .unwrap();
    path
}

/// Packs an executable for this machine of `size` random bytes, and returns the path of the archive.
pub(crate) fn pack_noise(environment: &Environment, name: &str, size: usize) -> PathBuf {
    let executable = environment.write(&format!("{name}.noise"), noise(size, size as u64));
    pack(environment, name, &executable)
}

/// Writes a small archive that any machine can make.
pub(crate) fn small(environment: &Environment, name: &str) -> PathBuf {
    environment.write(name, ArchiveBuilder::two_targets().published().build())
}

/// Pushes a file of any publisher, and returns the digest of the manifest.
#[track_caller]
pub(crate) fn push(environment: &Environment, reference: &str, file: &Path) -> String {
    let arguments = ["push", reference, text(file), "--change-identity"];
    let outcome = par(environment, arguments).success();
    let (_, digest) = outcome.line().split_once('@').unwrap();
    digest.to_owned()
}

#[track_caller]
pub(crate) fn par<const N: usize>(environment: &Environment, arguments: [&str; N]) -> Outcome {
    environment.par(arguments)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The digest of a file's content.
pub(crate) fn digest(path: &Path) -> String {
    Digest::of(&fs::read(path).unwrap()).to_string()
}

/// Returns how many requests with this method were about `digest`.
fn requests_about(registry: &Registry, method: &str, digest: &str) -> usize {
    let requests = registry.requests();
    let matching = requests
        .iter()
        .filter(|request| request.starts_with(method) && request.contains(digest));
    matching.count()
}

/// Returns a client with this cache. It finds no credentials of the user that runs the tests.
pub(crate) fn client(cache: &Path) -> Client {
    client_within(cache, Limits::default())
}

/// Returns a client with this cache and these limits.
fn client_within(cache: &Path, limits: Limits) -> Client {
    client_with(cache, limits, TrustPolicy::default())
}

/// Returns a client with this cache and this trust policy.
fn client_trusting(cache: &Path, trust: TrustPolicy) -> Client {
    client_with(cache, Limits::default(), trust)
}

fn client_with(cache: &Path, limits: Limits, trust: TrustPolicy) -> Client {
    let mut options = ClientOptions::default()
        .cache_directory(cache)
        .state_directory(cache.with_extension("state"))
        .limits(limits)
        .trust(trust);
    options.registry.credentials.registry_config = Some(cache.join("no-config.json"));
    Client::new(options).unwrap()
}

/// Returns the files in a directory of the cache that have their final name.
fn cached(environment: &Environment, kind: &str) -> Vec<String> {
    let folder = format!("home/.cache/wasmcloud-par/v1/{kind}/sha256/");
    let files = environment.files();
    let names = files.iter().filter_map(|file| file.strip_prefix(&folder));
    names.map(str::to_owned).collect()
}
