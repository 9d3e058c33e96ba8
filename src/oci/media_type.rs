//! Media types of manifests, configs and layers.

/// The layer of a provider archive, as `wash` pushes it and hosts expect it.
pub(crate) const PROVIDER_ARCHIVE_LAYER: &str =
    "application/vnd.wasmcloud.provider.archive.layer.v1+par";
/// The config of a provider archive; its body is `{}`.
pub(crate) const PROVIDER_ARCHIVE_CONFIG: &str =
    "application/vnd.wasmcloud.provider.archive.config";
/// An uncompressed layer of a container image. Hosts accept it for a provider archive too.
pub(crate) const IMAGE_LAYER_TAR: &str = "application/vnd.oci.image.layer.v1.tar";
/// A compressed layer of a container image.
pub(crate) const IMAGE_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The config of a container image.
pub(crate) const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// An image manifest of the OCI image specification.
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image index of the OCI image specification.
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker's image manifest, version 2 schema 2.
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's manifest list, the counterpart of an image index.
pub(crate) const DOCKER_MANIFEST_LIST: &str =
    "application/vnd.docker.distribution.manifest.list.v2+json";

/// An empty config or layer, `{}`, of an artifact that does not need one.
pub(crate) const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// The artifact manifest of a release candidate of the OCI image specification 1.1. Some registries have such
/// manifests.
pub(crate) const OCI_ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
/// The artifact manifest of ORAS, which came before the one of OCI.
pub(crate) const ORAS_ARTIFACT: &str = "application/vnd.cncf.oras.artifact.manifest.v1+json";
/// Docker's image manifest, version 2 schema 1. It names layers without their sizes.
pub(crate) const DOCKER_SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+json";
/// Docker's image manifest, version 2 schema 1, with a signature inside.
pub(crate) const DOCKER_SCHEMA_1_SIGNED: &str =
    "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// The header `Accept` of requests for manifests: the supported types in the order of preference. They are in one line,
/// because some servers read only the first line.
pub(crate) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.artifact.manifest.v1+json, \
    application/vnd.cncf.oras.artifact.manifest.v1+json";

/// The types that a registry serves at `/manifests/`.
const MANIFESTS: [&str; 8] = [
    OCI_MANIFEST,
    OCI_INDEX,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_LIST,
    OCI_ARTIFACT,
    ORAS_ARTIFACT,
    DOCKER_SCHEMA_1,
    DOCKER_SCHEMA_1_SIGNED,
];

/// Returns the constant for `media_type` if it is the type of a manifest or an index. Case and parameters are ignored
/// (RFC 9110, "Media Type").
pub(crate) fn manifest(media_type: &str) -> Option<&'static str> {
    MANIFESTS.into_iter().find(|known| is(media_type, known))
}

/// Returns whether content of this type is a manifest or an index, which a registry serves at `/manifests/`.
pub(crate) fn is_manifest(media_type: &str) -> bool {
    manifest(media_type).is_some()
}

/// Returns whether content of this type is an image or an index of images.
pub(crate) fn is_image(media_type: &str) -> bool {
    is_index(media_type) || is(media_type, OCI_MANIFEST) || is(media_type, DOCKER_MANIFEST)
}

/// Returns whether content of this type is an index: a list of manifests, usually one for each platform.
pub(crate) fn is_index(media_type: &str) -> bool {
    is(media_type, OCI_INDEX) || is(media_type, DOCKER_MANIFEST_LIST)
}

/// Returns whether content of this type is an artifact manifest, which has blobs and is not an image. Many registries
/// do not know this type and store such a manifest as a blob.
pub(crate) fn is_artifact_manifest(media_type: &str) -> bool {
    is(media_type, OCI_ARTIFACT) || is(media_type, ORAS_ARTIFACT)
}

/// Returns whether content of this type is a manifest of Docker's schema 1, which is not supported.
pub(crate) fn is_docker_schema_1(media_type: &str) -> bool {
    is(media_type, DOCKER_SCHEMA_1) || is(media_type, DOCKER_SCHEMA_1_SIGNED)
}

/// Returns whether a layer of this type is usually not in a registry, but at the URLs in its descriptor.
pub(crate) fn is_foreign_layer(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
        || media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
}

/// Returns the OCI type for a layer of a container image with a type of OCI or of Docker. `None` for another kind of
/// layer, and for a layer that may not be in the registry.
pub(crate) fn image_layer(media_type: &str) -> Option<&'static str> {
    const LAYERS: [(&str, &str); 5] = [
        (IMAGE_LAYER_TAR, IMAGE_LAYER_TAR),
        (IMAGE_LAYER_GZIP, IMAGE_LAYER_GZIP),
        (
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.oci.image.layer.v1.tar+zstd",
        ),
        (
            "application/vnd.docker.image.rootfs.diff.tar",
            IMAGE_LAYER_TAR,
        ),
        (
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            IMAGE_LAYER_GZIP,
        ),
    ];
    let mut layers = LAYERS.into_iter();
    let found = layers.find(|(known, _)| is(media_type, known));
    found.map(|(_, layer)| layer)
}

/// Returns whether content of this type is JSON with digests that do not name content in a registry. The config of an
/// image has digests of unpacked layers, and the config of a build cache has digests of its keys.
pub(crate) fn has_unrelated_digests(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    [
        "application/vnd.oci.image.config.",
        "application/vnd.docker.container.image.",
        "application/vnd.buildkit.cacheconfig.",
    ]
    .iter()
    .any(|known| media_type.starts_with(known))
}

/// Returns whether `media_type` is the type `known`, without regard to case and parameters.
fn is(media_type: &str, known: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or(media_type);
    essence.trim().eq_ignore_ascii_case(known)
}

/// Returns the `mediaType` in a manifest. When the manifest lacks it, as older manifests do, returns the type by the
/// other fields. Returns `None` when `bytes` are not a manifest of a known type.
pub(crate) fn of_manifest(bytes: &[u8]) -> Option<&'static str> {
    let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let named = document.get("mediaType").and_then(|name| name.as_str());
    if let Some(artifact) = named.filter(|name| is_artifact_manifest(name)) {
        // An artifact manifest has no `schemaVersion`.
        return manifest(artifact);
    }
    let version = document.get("schemaVersion")?;
    match named {
        Some(name) => manifest(name),
        None if version.as_u64() == Some(1) => Some(DOCKER_SCHEMA_1),
        None if document.get("manifests").is_some() => Some(OCI_INDEX),
        None => Some(OCI_MANIFEST),
    }
}

/// Returns whether hosts accept a layer of this type as a provider archive.
pub(super) fn is_archive_layer(media_type: &str) -> bool {
    matches!(media_type, PROVIDER_ARCHIVE_LAYER | IMAGE_LAYER_TAR)
}

/// Returns whether a config or a layer of this type belongs to a WebAssembly component or module.
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
