//! Descriptors: the names of content.

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The largest manifest that is read or written, in bytes: 4 MiB, the size that the OCI distribution
/// specification asks registries to accept ("Pushing Manifests").
pub(crate) const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// Identifies content by its media type, digest and size (OCI image specification, "Content Descriptors").
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type of the content.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// The size of the content in bytes.
    pub size: u64,
}

impl Descriptor {
    /// Returns the descriptor of `bytes`, with their SHA-256 digest.
    #[must_use]
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }
}
