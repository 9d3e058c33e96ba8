//! The result of an export.

use crate::archive::{Contents, Target};
use crate::content::Digest;

use super::super::tagging::TagChange;

/// A container image that was exported.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exported {
    /// The digest of the image's index.
    pub digest: Digest,
    /// The image for each platform.
    pub images: Vec<ExportedImage>,
    /// The targets in the archive that the image does not have: they are not for Linux, or the caller did not ask for
    /// them.
    pub left_out: Vec<Target>,
    /// The digest of the manifest of the archive, or of the bytes of the archive when it came from an input.
    pub archive: Digest,
    /// Whether the index names the archive as its subject. It does in the repository of the archive.
    pub is_subject: bool,
    /// The contents of the archive.
    pub contents: Contents,
    /// The tag that was created or moved, and the manifest that it named before. Empty for a layout without a name.
    pub tags: Vec<TagChange>,
    /// How many bytes of blobs were sent or written. Manifests do not count.
    pub sent: u64,
    /// How many bytes of blobs the registry took over from another of its repositories.
    pub mounted: u64,
    /// How many bytes of blobs the destination had already.
    pub existing: u64,
}

/// The image for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportedImage {
    /// The target of the executable.
    pub target: Target,
    /// The platform in the notation of OCI, such as `linux/arm64/v8`.
    pub platform: String,
    /// The digest of the manifest.
    pub digest: Digest,
}
