//! The media type of bundles.

/// The artifact type of a manifest with a bundle, and the media type of its layer (Sigstore bundle specification, "OCI
/// referrers").
pub(in crate::client) const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
