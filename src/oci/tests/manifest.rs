use serde_json::{Value, json};

use super::*;

fn children_of(manifest: &Value) -> Result<Vec<Descriptor>, Error> {
    let bytes = manifest.to_string();
    children(&Descriptor::of("", bytes.as_bytes()), bytes.as_bytes())
}

#[test]
fn children_are_config_and_layers_or_the_manifests_of_an_index() {
    let [one, two, three] =
        ["one", "two", "three"].map(|text| Descriptor::of(text, text.as_bytes()));
    let subject = Descriptor::of("subject", b"subject");
    let manifest = json!({ "config": one, "layers": [two, three], "subject": subject });
    let all = [one, two.clone(), three.clone()];
    assert_eq!(children_of(&manifest).unwrap(), all);
    let index = json!({ "manifests": [two, three] });
    assert_eq!(children_of(&index).unwrap(), [two, three]);
    assert_eq!(children_of(&json!({})).unwrap(), []);
}

#[test]
fn too_many_children_and_malformed_digests_are_refused() {
    let one = Descriptor::of("one", b"one");
    let many = json!({ "layers": vec![one; CHILDREN_LIMIT + 1] });
    assert!(matches!(children_of(&many), Err(Error::Malformed { .. })));
    let malformed = json!({ "layers": [{ "mediaType": "a", "digest": "../../etc", "size": 1 }] });
    assert!(matches!(children_of(&malformed), Err(Error::Json { .. })));
}
