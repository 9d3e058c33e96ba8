//! Content that is named by its SHA-512.

use std::fs;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::{block_on, par, peer, push, small};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, shared_registry, unique};
use wasmcloud_par::content::internals::{Algorithm, Fetch, Hasher, ManifestName, Push, Resolve};
use wasmcloud_par::content::{Descriptor, Digest, ErrorKind};
use wasmcloud_par::oci::internals::{Registries, Repository};
use wasmcloud_par::oci::{Reference, RegistryOptions};

fn sha512(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(bytes);
    hasher.finish()
}

/// Returns a repository at `host` that no other test uses.
fn repository(host: &str) -> Repository {
    let place = format!("{host}/{}", unique("sha512"));
    let Ok(Reference::Registry(place)) = place.parse() else {
        panic!("{place} is in a registry")
    };
    let registries = Registries::new(RegistryOptions::default()).unwrap();
    registries.repository(&place)
}

/// Writes a blob of the layout, and returns its digest.
fn store(environment: &Environment, bytes: &[u8]) -> Digest {
    let digest = sha512(bytes);
    environment.write(&format!("layout/blobs/sha512/{}", digest.hex()), bytes);
    digest
}

#[test]
fn a_layout_whose_content_is_named_by_sha512_is_read_and_checked() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let archive = fs::read(&file).unwrap();
    let manifest = push(&environment, "oci-layout://layout:1.0.0", &file);
    let manifest = manifest.strip_prefix("sha256:").unwrap();
    let manifest = environment.path(&format!("layout/blobs/sha256/{manifest}"));
    let mut manifest: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    let layer = store(&environment, &archive);
    manifest["layers"][0]["digest"] = layer.to_string().into();
    let bytes = manifest.to_string().into_bytes();
    let index = fs::read(environment.path("layout/index.json")).unwrap();
    let mut index: Value = serde_json::from_slice(&index).unwrap();
    let entry = &mut index["manifests"][0];
    entry["digest"] = store(&environment, &bytes).to_string().into();
    entry["size"] = bytes.len().into();
    environment.write("layout/index.json", index.to_string());

    let pinned = format!("oci-layout://layout@{}", sha512(&bytes));
    for reference in ["oci-layout://layout:1.0.0", &pinned] {
        par(&environment, ["pull", reference, "--destination", "pulled"]).success();
        assert_eq!(fs::read(environment.path("pulled")).unwrap(), archive);
    }

    let mut damaged = archive.clone();
    damaged[archive.len() / 2] ^= 1;
    environment.write(&format!("layout/blobs/sha512/{}", layer.hex()), &damaged);
    let refused = environment.par(["pull", &pinned, "--cache-dir", "new"]);
    let refused = refused.exit(5);
    assert!(refused.stderr.contains(&layer.to_string()), "{refused}");
}

#[test]
fn content_named_by_sha512_is_pushed_to_and_pulled_from_a_registry() {
    block_on(async {
        let content = Bytes::from_static(b"content with a long name");
        let blob = Descriptor {
            digest: sha512(&content),
            ..Descriptor::of("application/octet-stream", &content)
        };
        let repository = repository(shared_registry());
        repository.put_blob(&blob, &content).await.unwrap();
        assert!(repository.open(&blob, None).await.is_ok());

        let mut received = Vec::new();
        let mut reader = repository.open(&blob, None).await.unwrap();
        reader.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, content);

        let wrong = Descriptor {
            digest: sha512(b"other content"),
            ..blob
        };
        let refused = repository.put_blob(&wrong, &content).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotVerified);
    });
}

#[test]
fn a_tag_has_the_digest_of_the_registry_s_header_with_get_and_with_head() {
    const MANIFEST: &str = r#"{"schemaVersion": 2}"#;
    let digest = sha512(MANIFEST.as_bytes());
    let answer = |method, body| {
        let headers = vec![
            ("content-type", peer::MANIFEST.to_owned()),
            ("docker-content-digest", digest.to_string()),
            ("content-length", MANIFEST.len().to_string()),
        ];
        let answer = Fault::Answer {
            status: "200 OK",
            headers,
            body,
        };
        Rule::on(method, "/manifests/1.0.0", answer)
    };
    let rules = vec![answer("GET", MANIFEST), answer("HEAD", "")];
    let proxy = Proxy::to(shared_registry(), rules);
    block_on(async {
        let repository = repository(proxy.address());
        let tag = ManifestName::Tag("1.0.0".to_owned());
        let (descriptor, bytes) = repository.manifest("1.0.0").await.unwrap();
        assert_eq!(bytes, MANIFEST);
        assert_eq!(descriptor.digest, digest);
        assert_eq!(repository.resolve(&tag).await.unwrap(), descriptor);
    });
}
