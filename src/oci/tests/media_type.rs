use super::*;

#[test]
fn manifests_and_indexes_are_told_from_layers_and_configs() {
    assert!(is_manifest(OCI_MANIFEST) && is_manifest(DOCKER_MANIFEST_LIST));
    assert!(!is_manifest(PROVIDER_ARCHIVE_LAYER) && !is_manifest(PROVIDER_ARCHIVE_CONFIG));
    assert!(is_index(OCI_INDEX) && !is_index(OCI_MANIFEST));
    assert!(is_artifact_manifest(OCI_ARTIFACT) && !is_artifact_manifest(OCI_MANIFEST));
}

#[test]
fn the_accepted_types_are_those_of_manifests_that_are_read() {
    let accepted: Vec<_> = ACCEPTED.split(", ").collect();
    assert_eq!(accepted, MANIFESTS[..6]);
}

#[test]
fn case_and_parameters_of_a_media_type_do_not_count() {
    let index = "Application/VND.oci.image.index.v1+JSON ; charset=utf-8";
    assert_eq!(manifest(index), Some(OCI_INDEX));
    assert!(is_index(index) && !is_artifact_manifest(index));
    assert_eq!(manifest("application/vnd.oci.image.index.v2+json"), None);
}

#[test]
fn the_type_of_a_manifest_is_its_media_type_or_follows_from_its_fields() {
    for (manifest, media_type) in [
        (r#"{"schemaVersion": 2}"#, Some(OCI_MANIFEST)),
        (
            r#"{"schemaVersion": 2, "manifests": null}"#,
            Some(OCI_INDEX),
        ),
        (
            r#"{"schemaVersion": 1, "fsLayers": []}"#,
            Some(DOCKER_SCHEMA_1),
        ),
        (
            r#"{"mediaType": "application/vnd.oci.artifact.manifest.v1+json"}"#,
            Some(OCI_ARTIFACT),
        ),
        (r#"{"schemaVersion": 2, "mediaType": "a/b"}"#, None),
        (r#"{"tags": []}"#, None),
        ("[]", None),
    ] {
        assert_eq!(of_manifest(manifest.as_bytes()), media_type, "{manifest}");
    }
}

#[test]
fn webassembly_is_told_from_provider_archives() {
    assert!(is_component("application/wasm"));
    assert!(!is_component(PROVIDER_ARCHIVE_LAYER) && !is_component(IMAGE_LAYER_TAR));
}
