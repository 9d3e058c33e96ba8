//! Media types of manifests, configs and layers.

/// The layer of a provider archive, as `wash` pushes it and hosts expect it.
pub(crate) const PROVIDER_ARCHIVE_LAYER: &str =
    "application/vnd.wasmcloud.provider.archive.layer.v1+par";
/// The config of a provider archive; its body is `{}`.
pub(crate) const PROVIDER_ARCHIVE_CONFIG: &str =
    "application/vnd.wasmcloud.provider.archive.config";
/// An uncompressed layer of a container image, which hosts accept for a provider archive too.
pub(crate) const IMAGE_LAYER_TAR: &str = "application/vnd.oci.image.layer.v1.tar";
/// An image manifest of the OCI image specification.
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image index of the OCI image specification.
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker's image manifest, version 2 schema 2.
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's manifest list, the counterpart of an image index.
pub(crate) const DOCKER_MANIFEST_LIST: &str =
    "application/vnd.docker.distribution.manifest.list.v2+json";

/// Returns whether a registry serves content of this type at `/manifests/`: it is a manifest or an index.
pub(crate) fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST) || is_index(media_type)
}

/// Returns whether content of this type is an index: a list of manifests, usually one for each platform.
pub(crate) fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_MANIFEST_LIST)
}

/// Returns the `mediaType` in a manifest, or the type of its shape when it has none, as manifests written
/// before that field existed. Returns `None` when `bytes` are not a manifest.
pub(crate) fn of_manifest(bytes: &[u8]) -> Option<String> {
    let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    document.get("schemaVersion")?;
    let named = document.get("mediaType").and_then(|name| name.as_str());
    let shape = match document.get("manifests") {
        Some(_) => OCI_INDEX,
        None => OCI_MANIFEST,
    };
    Some(named.unwrap_or(shape).to_owned()).filter(|name| is_manifest(name))
}

/// Returns whether hosts accept a layer of this type as a provider archive.
pub(super) fn is_archive_layer(media_type: &str) -> bool {
    matches!(media_type, PROVIDER_ARCHIVE_LAYER | IMAGE_LAYER_TAR)
}

/// Returns whether this type of a config or a layer means WebAssembly: a component or a module, and not a
/// provider archive.
pub(crate) fn is_component(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/wasm"
            | "application/vnd.wasm.content.layer.v1+wasm"
            | "application/vnd.wasm.config.v0+json"
            | "application/vnd.wasm.config.v1+json"
            | "application/vnd.wasm.component.config.v1+json"
            | "application/vnd.wasm.component.layer.v0+wasm"
            | "application/vnd.module.wasm.content.layer.v1+wasm"
            | "application/vnd.wasmcloud.actor.archive.config"
            | "application/vnd.bytecodealliance.component.layer.v0+wasm"
    )
}

#[cfg(test)]
#[path = "tests/media_type.rs"]
mod tests;
