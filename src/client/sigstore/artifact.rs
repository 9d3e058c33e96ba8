//! The manifest of a bundle in a registry.

use bytes::Bytes;
use data_encoding::BASE64;
use serde::Deserialize;

use crate::content::{Descriptor, Digest};

use super::bundle_type::BUNDLE_TYPE;
use super::error::BundleError;

/// The largest bundle that is read, in bytes. It is the same limit as for manifests.
pub(in crate::client) const BUNDLE_LIMIT: u64 = 4 * 1024 * 1024;

/// The manifest of an artifact whose only layer is a bundle.
pub(in crate::client) struct BundleManifest {
    /// The bundle.
    pub(in crate::client) bundle: Descriptor,
    /// The bytes of the bundle, if the manifest embeds them. They are not verified.
    pub(in crate::client) data: Option<Bytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    artifact_type: Option<String>,
    subject: Option<Subject>,
    #[serde(default)]
    layers: Option<Vec<Layer>>,
}

#[derive(Deserialize)]
struct Layer {
    #[serde(flatten)]
    content: Descriptor,
    /// The content itself in Base64 (OCI image specification, "Embedded Content").
    data: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digest,
}

impl BundleManifest {
    /// The type of the artifact and of its layer.
    pub(in crate::client) const TYPE: &'static str = BUNDLE_TYPE;

    /// Returns the error for a manifest of this type whose layers are not exactly one bundle.
    pub(in crate::client) fn not_one_bundle() -> BundleError {
        let reason = "its manifest has not one layer that is a bundle";
        BundleError::Unsupported(reason.to_owned())
    }

    /// Parses a manifest whose digest is verified. Its subject must be `subject`. Returns `None` for the manifest of another
    /// kind of artifact.
    pub(in crate::client) fn parse(
        manifest: &[u8],
        subject: &Digest,
    ) -> Result<Option<Self>, BundleError> {
        let document: Document = serde_json::from_slice(manifest)
            .map_err(|error| BundleError::Malformed(error.into()))?;
        let mut layers = document.layers.unwrap_or_default();
        let (bundle, data) = match (layers.pop(), layers.pop()) {
            (Some(only), None) if only.content.media_type == Self::TYPE => {
                (only.content, only.data)
            }
            _ if document.artifact_type.as_deref() == Some(Self::TYPE) => {
                return Err(Self::not_one_bundle());
            }
            _ => return Ok(None),
        };
        // A list of referrers is not trusted: only the manifest itself names its subject.
        match document.subject {
            Some(named) if named.digest == *subject => {}
            other => {
                return Err(BundleError::OtherManifest(other.map(|named| named.digest)));
            }
        }
        if bundle.size > BUNDLE_LIMIT {
            return Err(BundleError::TooLarge {
                size: bundle.size,
                limit: BUNDLE_LIMIT,
            });
        }
        let data = data.and_then(|data| BASE64.decode(data.as_bytes()).ok());
        Ok(Some(Self {
            bundle,
            data: data.map(Bytes::from),
        }))
    }
}

#[cfg(test)]
#[path = "tests/artifact.rs"]
mod tests;
