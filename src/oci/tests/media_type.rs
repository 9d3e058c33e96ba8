use super::*;

#[test]
fn manifests_and_indexes_are_told_from_layers_and_configs() {
    assert!(is_manifest(OCI_MANIFEST) && is_manifest(DOCKER_MANIFEST_LIST));
    assert!(!is_manifest(PROVIDER_ARCHIVE_LAYER) && !is_manifest(PROVIDER_ARCHIVE_CONFIG));
    assert!(is_index(OCI_INDEX) && !is_index(OCI_MANIFEST));
}

#[test]
fn webassembly_is_told_from_provider_archives() {
    assert!(is_component("application/wasm"));
    assert!(!is_component(PROVIDER_ARCHIVE_LAYER) && !is_component(IMAGE_LAYER_TAR));
}
