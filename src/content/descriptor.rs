//! Descriptors: what content is called.

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// Names content: what it is, which bytes it is, how many (OCI image specification, "Content
/// Descriptors").
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type.
    pub media_type: String,
    /// The digest of the bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
}

impl Descriptor {
    /// The descriptor of `bytes`, with their SHA-256 digest.
    #[must_use]
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
        }
    }
}
