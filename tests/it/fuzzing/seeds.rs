//! The seeds of the fuzz targets: archives, tokens and references that the peers' crates make, and an archive
//! with an index, which only this crate makes.

#![allow(unreachable_pub, reason = "to `fuzz/` this is a module of a library")]

use std::fs;

use data_encoding::BASE64URL_NOPAD;
use oci_client::Reference;
use provider_archive::ProviderArchive;
use serde_json::json;
use wascap::jwt::{CapabilityProvider, Claims, ClaimsBuilder};

use super::targets::{Good, TARGET, keys};

/// An input of a fuzz target.
pub struct Seed {
    pub target: &'static str,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Returns all seeds.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes: Vec<u8>| {
        seeds.push(Seed {
            target,
            name: name.to_owned(),
            bytes,
        });
    };
    for (name, archive) in archives() {
        add("reader", &name, archive.clone());
        add("index", &name, archive);
    }
    let good = Good::new();
    add("reader", "indexed", good.archive().to_vec());
    add("index", "indexed", good.archive().to_vec());
    add("index", "extra", good.extra().to_vec());
    for (name, token) in tokens() {
        let payload = token.split('.').nth(1).unwrap();
        let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
        add("claims", &format!("{name}-payload"), payload);
        add("claims", name, token.into_bytes());
    }
    for (number, reference) in references().iter().enumerate() {
        let bytes = reference.as_bytes().to_vec();
        add("reference", &number.to_string(), bytes);
    }
    seeds
}

/// Returns archives by `provider-archive`: plain and compressed, with few entries and with all.
fn archives() -> Vec<(String, Vec<u8>)> {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let [issuer, subject] = keys();
    let mut archives = Vec::new();
    for (name, compress, whole) in [
        ("bare.par", false, false),
        ("bare.par.gz", true, false),
        ("whole.par", false, true),
        ("whole.par.gz", true, true),
    ] {
        let mut archive = ProviderArchive::new("Name", "Vendor", Some(7), Some("1.2".to_owned()));
        archive
            .add_library(TARGET, b"\x7fELF the executable")
            .unwrap();
        if whole {
            archive.add_library("aarch64-macos", &[9; 600]).unwrap();
            archive.add_wit_world(b"the world").unwrap();
            archive.set_schema(json!({"type": "object"})).unwrap();
        }
        let path = directory.path().join(name);
        let writing = archive.write(&path, &issuer, &subject, compress);
        runtime.block_on(writing).unwrap();
        archives.push((name.to_owned(), fs::read(path).unwrap()));
    }
    archives
}

/// Returns tokens by `wascap`: with few fields, with all, and with dates of every kind.
fn tokens() -> Vec<(&'static str, String)> {
    let [issuer, subject] = keys();
    let token = |not_before, expires, whole: bool| {
        let hashes = [(TARGET.to_owned(), "AB".repeat(32))].into();
        let mut provider = CapabilityProvider::new(
            "Name".to_owned(),
            "Vendor".to_owned(),
            whole.then_some(7),
            whole.then(|| "1.2".to_owned()),
            hashes,
        );
        if whole {
            provider.config_schema = Some(json!({"type": "object"}));
            let world = ("world.wasm".to_owned(), "CD".repeat(32));
            provider.target_hashes.extend([world]);
        }
        let mut claims: Claims<CapabilityProvider> = ClaimsBuilder::new()
            .issuer(&issuer.public_key())
            .subject(&subject.public_key())
            .with_metadata(provider)
            .build();
        claims.not_before = not_before;
        claims.expires = expires;
        claims.encode(&issuer).unwrap()
    };
    vec![
        ("bare", token(None, None, false)),
        ("whole", token(None, None, true)),
        ("expired", token(None, Some(1_600_000_000), true)),
        (
            "dated",
            token(Some(1_600_000_000), Some(9_600_000_000), true),
        ),
        ("early", token(Some(9_600_000_000), None, false)),
    ]
}

/// Returns references by `oci-client`, and references in forms that only this crate knows.
fn references() -> Vec<String> {
    let digest = format!("sha256:{}", "5a".repeat(32));
    let of = |text: &str| text.parse::<Reference>().unwrap().whole();
    vec![
        of("ghcr.io/org/provider:1.0"),
        of("provider"),
        of("LOCALHOST:5000/a/b__c/d.e-f:V1"),
        Reference::with_digest("a.example".into(), "b".into(), digest.clone()).whole(),
        Reference::with_tag_and_digest("a:1".into(), "b".into(), "c".into(), digest.clone())
            .whole(),
        "oci://ghcr.io/org/provider:1.0".to_owned(),
        "[::1]:5000/provider:1.0".to_owned(),
        format!("oci-layout:///directory/layout:1.0@{digest}"),
        "oci-layout://../layout".to_owned(),
        "oci-layout://a:b c:5000/provider:1.0:2".to_owned(),
        "oci-layout://@:1/1".to_owned(),
    ]
}
