//! Manifests that belong to another one: referrers, and signatures that cosign stores under tags made of digests.

mod copying;
mod deleting;
mod listing;
mod together;
mod travelling;

use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};
use wasmcloud_par::content::internals::{Push, Referrer};
use wasmcloud_par::content::{Descriptor, Digest};
use wasmcloud_par::oci::internals::{Registries, Repository};
use wasmcloud_par::oci::{Reference, RegistryOptions};

use crate::support::proxy::Proxy;
use crate::support::{Environment, Outcome, block_on, tool};
use crate::transfer::peer::{INDEX, MANIFEST};

const SIGNATURE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SBOM: &str = "application/spdx+json";

/// Returns a repository of a registry, as this crate sees it.
fn repository(host: &str, name: &str) -> Repository {
    let Reference::Registry(reference) = format!("{host}/{name}").parse().unwrap() else {
        panic!("{name} is in a registry")
    };
    let options = RegistryOptions::default();
    Registries::new(options).unwrap().repository(&reference)
}

/// Stores a blob, and returns its descriptor for a manifest.
fn blob(repository: &Repository, media_type: &str, bytes: &str) -> Value {
    let descriptor = Descriptor::of(media_type, bytes.as_bytes());
    let bytes = Bytes::from(bytes.to_owned());
    block_on(repository.put_blob(&descriptor, &bytes)).unwrap();
    json!(descriptor)
}

/// Stores a manifest, and returns its descriptor.
fn manifest(repository: &Repository, manifest: &Value, tag: Option<&str>) -> Descriptor {
    let bytes = Bytes::from(manifest.to_string());
    let media_type = manifest["mediaType"].as_str().unwrap();
    let descriptor = Descriptor::of(media_type, &bytes);
    block_on(repository.put_manifest(&descriptor, &bytes, tag)).unwrap();
    descriptor
}

/// Stores a manifest with one layer.
fn image(repository: &Repository, layer: &str, tag: Option<&str>) -> Descriptor {
    let document = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blob(repository, "application/vnd.oci.empty.v1+json", "{}"),
        "layers": [blob(repository, "text/plain", layer)],
    });
    manifest(repository, &document, tag)
}

/// Stores an index of manifests.
fn index(repository: &Repository, manifests: &[&Descriptor], tag: Option<&str>) -> Descriptor {
    let document = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
    manifest(repository, &document, tag)
}

/// Returns the manifest of a referrer with one layer.
fn referring(
    repository: &Repository,
    subject: &Descriptor,
    artifact_type: &str,
    layer: &str,
) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": blob(repository, "application/vnd.oci.empty.v1+json", "{}"),
        "layers": [blob(repository, "text/plain", layer)],
        "subject": subject,
        "annotations": { "made.by": layer },
    })
}

/// Stores a referrer of `subject`.
fn attach(
    repository: &Repository,
    subject: &Descriptor,
    artifact_type: &str,
    layer: &str,
) -> Descriptor {
    let document = referring(repository, subject, artifact_type, layer);
    manifest(repository, &document, None)
}

/// Returns the tag of the list of what refers to a manifest.
fn list_tag(subject: &Digest) -> String {
    subject.to_string().replace(':', "-")
}

/// Returns the requests that send something.
fn changes(proxy: &Proxy) -> Vec<String> {
    let changes = ["POST", "PUT", "PATCH"].into_iter();
    let seen = changes.flat_map(|method| {
        let seen = proxy.seen(method, "/v2/").into_iter();
        seen.map(move |seen| format!("{method} {}", seen.target))
    });
    seen.collect()
}

/// Returns the digests of referrers, sorted.
fn digests<'r>(referrers: impl IntoIterator<Item = &'r Referrer>) -> Vec<Digest> {
    let digests = referrers
        .into_iter()
        .map(|referrer| &referrer.descriptor.digest);
    let mut digests: Vec<Digest> = digests.cloned().collect();
    digests.sort_by_key(ToString::to_string);
    digests
}

/// Returns the digests of descriptors, sorted.
fn sorted<'d>(descriptors: impl IntoIterator<Item = &'d Descriptor>) -> Vec<Digest> {
    let digests = descriptors
        .into_iter()
        .map(|descriptor| descriptor.digest.clone());
    let mut digests: Vec<Digest> = digests.collect();
    digests.sort_by_key(ToString::to_string);
    digests
}

/// Returns the digests of all referrers of a manifest, sorted, as this crate lists them.
fn referrers(repository: &Repository, subject: &Digest) -> Vec<Digest> {
    digests(&block_on(repository.referrers(subject, None)).unwrap())
}

/// Runs a program of another project.
#[track_caller]
fn run(environment: &Environment, program: &str, arguments: &[&str]) -> Outcome {
    let mut command = environment.command_for(Path::new(&tool(program)));
    command.args(arguments);
    Outcome::of(command, b"").success()
}

/// Returns the digests of the referrers of a manifest, sorted, as `oras discover` lists them. `options` are
/// for the place of the reference.
#[track_caller]
fn discovered(environment: &Environment, options: &[&str], reference: &str) -> Vec<Digest> {
    let mut arguments = vec!["discover", "--format", "json", "--depth", "1"];
    arguments.extend(options);
    arguments.push(reference);
    let answer = run(environment, "oras", &arguments).json();
    let none = Vec::new();
    let listed = answer["referrers"].as_array().unwrap_or(&none).iter();
    let digests = listed.map(|entry| entry["digest"].as_str().unwrap().parse().unwrap());
    let mut digests: Vec<Digest> = digests.collect();
    digests.sort_by_key(ToString::to_string);
    digests
}
