use serde_json::{Value, json};

use super::*;

fn read(manifest: &Value) -> Result<Vec<Child>, Error> {
    let bytes = manifest.to_string();
    let content = Descriptor::of(media_type::OCI_MANIFEST, bytes.as_bytes());
    children(&content, bytes.as_bytes())
}

fn children_of(manifest: &Value) -> Vec<(Role, Descriptor)> {
    let children = read(manifest).unwrap().into_iter();
    children
        .map(|child| (child.role, child.descriptor))
        .collect()
}

#[test]
fn children_are_all_contents_that_a_manifest_names() {
    let [one, two, three] =
        ["one", "two", "three"].map(|text| Descriptor::of(text, text.as_bytes()));
    let subject = Descriptor::of("subject", b"subject");
    let manifest = json!({ "config": one, "layers": [two, three], "subject": subject });
    let part = |descriptor: &Descriptor| (Role::Part, descriptor.clone());
    let subject = (Role::Subject, subject.clone());
    let all = [subject.clone(), part(&one), part(&two), part(&three)];
    assert_eq!(children_of(&manifest), all);
    let artifact = json!({
        "mediaType": media_type::OCI_ARTIFACT, "blobs": [two], "subject": subject.1,
    });
    assert_eq!(children_of(&artifact), [subject, part(&two)]);
    let index = json!({ "manifests": [two, three] });
    let entry = |descriptor: &Descriptor| (Role::Entry, descriptor.clone());
    assert_eq!(children_of(&index), [entry(&two), entry(&three)]);
    assert_eq!(children_of(&json!({})), []);
    let nothing = json!({ "layers": null, "blobs": null, "manifests": null, "config": null });
    assert_eq!(children_of(&nothing), []);
}

#[test]
fn a_child_may_have_no_media_type_and_only_data_that_verifies_counts() {
    let text = Descriptor::of("", b"text");
    let child = |data: &str| {
        let named = json!({ "digest": text.digest, "size": text.size, "data": data });
        read(&json!({ "layers": [named] })).unwrap().remove(0)
    };
    assert_eq!(child("dGV4dA==").descriptor, text);
    assert_eq!(child("dGV4dA==").data, Some(Bytes::from_static(b"text")));
    for other in ["dGV4dQ==", "?", ""] {
        assert_eq!(child(other).data, None, "{other}");
    }
}

#[test]
fn a_manifest_of_another_type_may_not_name_content_in_fields_of_its_own() {
    let one = Descriptor::of("one", b"one");
    let other = json!({ "mediaType": "a/b", "layers": [one] });
    assert_eq!(children_of(&other), [(Role::Part, one.clone())]);
    for manifest in [
        json!({ "mediaType": "a/b", "layers": [one], "more": {
            "parts": [{ "digest": Digest::of(b"two"), "size": 3 }],
        }}),
        json!({ "schemaVersion": 1, "fsLayers": [{ "blobSum": one.digest }] }),
        json!({ "schemaVersion": 1, "mediaType": media_type::DOCKER_SCHEMA_1_SIGNED }),
    ] {
        let refused = read(&manifest);
        let refused = matches!(refused, Err(Error::UnsupportedManifest { .. }));
        assert!(refused, "{manifest}");
    }
    assert!(names_content(
        json!({ "a": [{ "b": one }] }).to_string().as_bytes()
    ));
    // The layers in the config of a BuildKit cache are not descriptors. The index lists them too.
    let cache = json!({ "layers": [{ "blob": one.digest, "parent": -1 }] });
    assert!(!names_content(cache.to_string().as_bytes()));
}

#[test]
fn too_many_children_and_malformed_digests_are_refused() {
    let one = Descriptor::of("one", b"one");
    let many = json!({ "layers": vec![one; CHILDREN_LIMIT + 1] });
    assert!(matches!(read(&many), Err(Error::Malformed { .. })));
    let malformed = json!({ "layers": [{ "mediaType": "a", "digest": "../../etc", "size": 1 }] });
    assert!(matches!(read(&malformed), Err(Error::Json { .. })));
}
