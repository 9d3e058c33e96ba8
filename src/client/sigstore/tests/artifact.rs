use serde_json::{Value, json};

use super::*;

const TYPE: &str = BundleManifest::TYPE;

fn layer(media_type: &str, size: u64) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(b"bundle"), "size": size })
}

fn manifest(artifact_type: &str, subject: &[u8], layers: &[Value]) -> Vec<u8> {
    let subject = json!({ "mediaType": "", "digest": Digest::of(subject), "size": 1 });
    let document = json!({ "artifactType": artifact_type, "subject": subject, "layers": layers });
    document.to_string().into_bytes()
}

fn parse(bytes: &[u8]) -> Result<Option<BundleManifest>, BundleError> {
    BundleManifest::parse(bytes, &Digest::of(b"archive"))
}

#[test]
fn the_only_layer_is_the_bundle_whatever_type_the_artifact_has() {
    for artifact_type in [TYPE, "application/vnd.oci.empty.v1+json"] {
        let bytes = manifest(artifact_type, b"archive", &[layer(TYPE, 9)]);
        let parsed = parse(&bytes).unwrap().unwrap();
        assert_eq!(parsed.bundle.digest, Digest::of(b"bundle"));
    }
}

#[test]
fn another_kind_of_artifact_is_no_bundle_and_no_error() {
    for layers in [vec![], vec![layer("text/plain", 9)]] {
        let bytes = manifest("application/spdx+json", b"archive", &layers);
        assert!(parse(&bytes).unwrap().is_none());
    }
}

#[test]
fn a_bundle_of_another_manifest_or_of_none_is_refused() {
    let other = manifest(TYPE, b"other", &[layer(TYPE, 9)]);
    let refused = parse(&other).err().unwrap();
    assert!(
        matches!(refused, BundleError::OtherManifest(Some(digest)) if digest == Digest::of(b"other"))
    );
    let none = json!({ "artifactType": TYPE, "layers": [layer(TYPE, 9)] });
    let refused = parse(none.to_string().as_bytes()).err().unwrap();
    assert!(matches!(refused, BundleError::OtherManifest(None)));
}

#[test]
fn a_bundle_that_is_too_large_or_one_of_several_is_refused() {
    let large = manifest(TYPE, b"archive", &[layer(TYPE, 200_000_000)]);
    let refused = parse(&large).err().unwrap().to_string();
    assert_eq!(refused, "it has 200000000 bytes; at most 4194304 are read");
    let two = manifest(TYPE, b"archive", &[layer(TYPE, 9), layer(TYPE, 9)]);
    assert!(matches!(
        parse(&two).err(),
        Some(BundleError::Unsupported(_))
    ));
    assert!(matches!(
        parse(b"[]").err(),
        Some(BundleError::Malformed(_))
    ));
}

#[test]
fn a_manifest_may_have_the_bundle_itself() {
    let mut embedded = layer(TYPE, 6);
    embedded["data"] = "YnVuZGxl".into();
    let parsed = parse(&manifest(TYPE, b"archive", &[embedded.clone()]));
    assert_eq!(parsed.unwrap().unwrap().data.unwrap(), "bundle");
    for other in [json!("%"), Value::Null] {
        embedded["data"] = other;
        let parsed = parse(&manifest(TYPE, b"archive", &[embedded.clone()]));
        assert_eq!(parsed.unwrap().unwrap().data, None);
    }
}
