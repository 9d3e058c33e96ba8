//! `oci-client`, with which `wash` and the hosts reach registries.

use std::collections::BTreeMap;

use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageData, ImageLayer};
use oci_client::manifest::OciImageManifest;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use serde_json::{Value, json};
use wasmcloud_par::content::Digest;

use super::block_on;

pub(super) const PAR_LAYER: &str = "application/vnd.wasmcloud.provider.archive.layer.v1+par";
pub(super) const PAR_CONFIG: &str = "application/vnd.wasmcloud.provider.archive.config";
pub(super) const TAR_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn client() -> Client {
    // `oci-client` panics without a TLS provider. Another test may have installed one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    })
}

fn parse(reference: &str) -> Reference {
    reference.parse().unwrap()
}

/// Pulls as `wash` and the hosts do, with the types of layers that they accept.
pub(super) fn pull(reference: &str) -> ImageData {
    let pulled = block_on(async {
        client()
            .pull(
                &parse(reference),
                &RegistryAuth::Anonymous,
                vec![PAR_LAYER, TAR_LAYER],
            )
            .await
    });
    pulled.unwrap_or_else(|error| panic!("oci-client cannot pull {reference}: {error}"))
}

/// Pushes an archive as `wash push` does, and gives the digest of the manifest.
pub(crate) fn push(reference: &str, archive: &[u8]) -> String {
    push_layers(reference, PAR_CONFIG, &[(PAR_LAYER, archive)])
}

/// Pushes layers and a config of any types.
pub(super) fn push_layers(reference: &str, config: &str, layers: &[(&str, &[u8])]) -> String {
    let layers: Vec<ImageLayer> = layers
        .iter()
        .map(|(media_type, bytes)| ImageLayer::new(bytes.to_vec(), (*media_type).to_owned(), None))
        .collect();
    let config = Config::new("{}", config.to_owned(), None);
    let annotations = BTreeMap::from([("vendor.example".to_owned(), "wash".to_owned())]);
    let manifest = OciImageManifest::build(&layers, &config, Some(annotations));
    block_on(async {
        let (client, reference) = (client(), parse(reference));
        let auth = RegistryAuth::Anonymous;
        client
            .push(&reference, &layers, config, &auth, Some(manifest))
            .await
            .unwrap();
        client
            .fetch_manifest_digest(&reference, &auth)
            .await
            .unwrap()
    })
}

/// Pushes an image of which only the manifest is special, and gives the manifest's digest.
pub(super) fn push_manifest(reference: &str, media_type: &str, manifest: &Value) -> String {
    let bytes = manifest.to_string().into_bytes();
    let digest = Digest::of(&bytes).to_string();
    block_on(async {
        let content_type = media_type.parse().unwrap();
        client()
            .push_manifest_raw(&parse(reference), bytes, content_type)
            .await
            .unwrap();
    });
    digest
}

/// Pushes the bytes of a manifest, and gives their descriptor.
pub(crate) fn push_bytes(reference: &str, media_type: &str, bytes: &[u8]) -> Value {
    block_on(async {
        let content_type = media_type.parse().unwrap();
        client()
            .push_manifest_raw(&parse(reference), bytes.to_vec(), content_type)
            .await
            .unwrap();
    });
    let digest = Digest::of(bytes).to_string();
    json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
}

/// Pushes a blob, and gives its descriptor.
pub(crate) fn push_blob(reference: &str, media_type: &str, bytes: &[u8]) -> Value {
    let digest = Digest::of(bytes).to_string();
    block_on(async {
        client()
            .push_blob(&parse(reference), bytes.to_vec(), &digest)
            .await
            .unwrap();
    });
    json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
}
