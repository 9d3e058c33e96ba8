//! The manifest of a bundle in a registry.

use serde::Deserialize;

use crate::content::{Descriptor, Digest};

use super::bundle_type::BUNDLE_TYPE;
use super::error::BundleError;

/// The largest bundle that is read, in bytes. It is that of a manifest.
const BUNDLE_LIMIT: u64 = 4 * 1024 * 1024;

/// The manifest of an artifact whose only layer is a bundle.
pub(in crate::client) struct BundleManifest {
    /// The bundle.
    pub(in crate::client) bundle: Descriptor,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    artifact_type: Option<String>,
    subject: Option<Subject>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digest,
}

impl BundleManifest {
    /// The type of the artifact and of its layer.
    pub(in crate::client) const TYPE: &'static str = BUNDLE_TYPE;

    /// Reads a manifest, whose digest is verified. It must refer to `subject`. Returns `None` for the manifest of
    /// another kind of artifact.
    pub(in crate::client) fn parse(
        manifest: &[u8],
        subject: &Digest,
    ) -> Result<Option<Self>, BundleError> {
        let document: Document = serde_json::from_slice(manifest)
            .map_err(|error| BundleError::Malformed(error.into()))?;
        let mut layers = document.layers.unwrap_or_default();
        let bundle = match (layers.pop(), layers.pop()) {
            (Some(only), None) if only.media_type == Self::TYPE => only,
            _ if document.artifact_type.as_deref() == Some(Self::TYPE) => {
                let reason = "its manifest has not one layer that is a bundle";
                return Err(BundleError::Unsupported(reason.to_owned()));
            }
            _ => return Ok(None),
        };
        // A list of referrers is not signed: only the manifest itself says what it belongs to.
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
        Ok(Some(Self { bundle }))
    }
}

#[cfg(test)]
#[path = "tests/artifact.rs"]
mod tests;
