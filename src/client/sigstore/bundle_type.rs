//! The media type of bundles.

/// The type of the artifact of a bundle, and of its layer (Sigstore bundle specification, "OCI referrers").
pub(in crate::client) const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
