use serde_json::json;

use super::*;

fn described(manifest: &serde_json::Value) -> DescribedManifest {
    let bytes = manifest.to_string();
    let descriptor = Descriptor::of(media_type::OCI_MANIFEST, bytes.as_bytes());
    DescribedManifest::parse(&descriptor, bytes.as_bytes()).unwrap()
}

fn content(media_type: &str, title: Option<&str>) -> serde_json::Value {
    let digest = Digest::of(media_type.as_bytes()).to_string();
    json!({"mediaType": media_type, "digest": digest, "size": 1,
        "annotations": title.map(|title| json!({TITLE: title, "number": 1}))})
}

#[test]
fn the_type_is_from_the_manifest_or_else_from_a_config_with_content() {
    let empty = content(media_type::EMPTY, None);
    let config = content("application/vnd.example.config", None);
    let types = [
        (
            json!({"artifactType": "a/b", "config": config}),
            Some("a/b"),
        ),
        (
            json!({"config": config}),
            Some("application/vnd.example.config"),
        ),
        (json!({"artifactType": "", "config": empty}), None),
        (json!({"config": content("", None)}), None),
        (json!({}), None),
    ];
    for (manifest, expected) in types {
        assert_eq!(
            described(&manifest).artifact_type.as_deref(),
            expected,
            "{manifest}"
        );
    }
}

#[test]
fn null_and_numbers_in_the_place_of_lists_and_texts_are_tolerated() {
    let manifest = json!({
        "layers": null,
        "blobs": [content("text/plain", Some("notes.txt"))],
        "annotations": {"text": "value", "number": 7},
        "subject": content(media_type::OCI_MANIFEST, None),
    });
    let manifest = described(&manifest);
    let [layer] = manifest.layers.as_slice() else {
        panic!("{manifest:?}");
    };
    assert_eq!(layer.title.as_deref(), Some("notes.txt"));
    assert_eq!(manifest.annotations.len(), 1);
    assert!(manifest.subject.is_some());
}

#[test]
fn the_platforms_of_an_index_are_named() {
    let mut entry = content(media_type::OCI_MANIFEST, None);
    entry["platform"] = json!({"os": "linux", "architecture": "arm", "variant": "v7"});
    let index = described(&json!({"manifests": [entry]}));
    assert_eq!(index.entries[0].platform.as_deref(), Some("linux/arm/v7"));
}

#[test]
fn more_than_a_thousand_layers_are_refused() {
    let layers = vec![content("text/plain", None); CHILDREN_LIMIT + 1];
    let bytes = json!({ "layers": layers }).to_string();
    let descriptor = Descriptor::of(media_type::OCI_MANIFEST, bytes.as_bytes());
    assert!(DescribedManifest::parse(&descriptor, bytes.as_bytes()).is_err());
}
