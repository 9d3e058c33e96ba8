use serde_json::{Value, json};

use super::super::super::annotation_names::TITLE;
use super::*;

const ANY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn layer() -> Descriptor {
    Descriptor::of(media_type::PROVIDER_ARCHIVE_LAYER, b"archive")
}

fn parse(manifest: &Value) -> Result<Artifact, Error> {
    let bytes = Bytes::from(serde_json::to_vec(manifest).unwrap());
    let descriptor = Descriptor::of(media_type::OCI_MANIFEST, &bytes);
    Artifact::parse(descriptor, bytes, "ghcr.io/org/provider:1")
}

fn manifest(config_type: &str, layer_type: &str) -> Value {
    json!({
        "schemaVersion": 2,
        "config": {"mediaType": config_type, "digest": ANY, "size": 2},
        "layers": [{"mediaType": layer_type, "digest": ANY, "size": 7}],
    })
}

#[test]
fn a_built_artifact_has_the_form_of_wash() {
    let annotations = BTreeMap::from([("b".to_owned(), "2".to_owned())]);
    let artifact = Artifact::build(&layer(), Some("provider.par.gz"), &annotations);
    let manifest: Value = serde_json::from_slice(artifact.manifest()).unwrap();
    assert_eq!(manifest["mediaType"], media_type::OCI_MANIFEST);
    assert_eq!(
        manifest["config"]["mediaType"],
        media_type::PROVIDER_ARCHIVE_CONFIG
    );
    assert_eq!(manifest["config"]["size"], 2);
    assert_eq!(manifest["layers"][0]["digest"], layer().digest.to_string());
    assert_eq!(
        manifest["layers"][0]["annotations"][TITLE],
        "provider.par.gz"
    );
    let again = Artifact::build(&layer(), Some("provider.par.gz"), &annotations);
    assert_eq!(artifact.descriptor(), again.descriptor());
    let descriptor = artifact.descriptor().clone();
    let parsed = Artifact::parse(descriptor, artifact.manifest().clone(), "here").unwrap();
    assert_eq!(parsed.layers(), [layer()]);
    assert_eq!(parsed.annotations(), &annotations);
}

#[test]
fn one_malformed_annotation_does_not_drop_the_others() {
    let mut body = manifest("application/json", media_type::IMAGE_LAYER_TAR);
    body["annotations"] = json!({"good": "yes", "bad": null, "worse": {"a": 1}});
    let annotations = parse(&body).unwrap().annotations().clone();
    assert_eq!(
        annotations,
        BTreeMap::from([("good".to_owned(), "yes".to_owned())])
    );
}

#[test]
fn a_component_is_refused_with_a_hint_at_its_tool() {
    let error = parse(&manifest(
        "application/vnd.wasm.config.v0+json",
        "application/wasm",
    ));
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Component { .. }));
}

#[test]
fn another_artifact_is_refused_with_its_media_types() {
    let error = parse(&manifest("application/vnd.helm", "application/x-chart")).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("vnd.helm") && message.contains("x-chart"),
        "{message}"
    );
}

#[test]
fn contradictions_in_a_manifest_are_errors() {
    let good = manifest("a/b", media_type::PROVIDER_ARCHIVE_LAYER);
    assert!(parse(&good).is_ok());
    let mut negative = good.clone();
    negative["layers"][0]["size"] = json!(-1);
    assert!(matches!(parse(&negative), Err(Error::Json { .. })));
    let mut both = good.clone();
    both["manifests"] = json!([]);
    assert!(matches!(parse(&both), Err(Error::Malformed { .. })));
    let mut many = good.clone();
    many["layers"] = Value::Array(vec![good["layers"][0].clone(); 1001]);
    assert!(matches!(parse(&many), Err(Error::Malformed { .. })));
    let mut large = good.clone();
    large["layers"] = Value::Array(vec![good["layers"][0].clone(); 2]);
    large["layers"][0]["size"] = json!(u64::MAX - 7);
    assert_eq!(parse(&large).unwrap().size(), u64::MAX);
    large["layers"][1]["size"] = json!(8);
    assert!(matches!(parse(&large), Err(Error::Malformed { .. })));
    let bytes = Bytes::from_static(b"{}");
    let other = Descriptor::of(media_type::OCI_MANIFEST, b"{ }");
    assert!(matches!(
        Artifact::parse(other, bytes, "here"),
        Err(Error::NotVerified { .. })
    ));
}
