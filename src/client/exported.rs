//! What an export gives back.

use crate::archive::{Contents, Target};
use crate::content::Digest;

use super::tagging::TagChange;

/// A container image that was exported.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exported {
    /// The digest of the image's index.
    pub digest: Digest,
    /// The image for each platform.
    pub images: Vec<ExportedImage>,
    /// The targets in the archive that the image does not have, because they are not for Linux or were not asked for.
    pub left_out: Vec<Target>,
    /// The digest of the archive: that of its manifest, or of its bytes when it came from an input.
    pub archive: Digest,
    /// Whether the index names the archive as its subject. That is the case in the repository of the archive.
    pub is_subject: bool,
    /// What the archive holds.
    pub contents: Contents,
    /// The tag that was given, and what it named before. Empty for a layout without a name.
    pub tags: Vec<TagChange>,
    /// How many bytes of blobs were sent or written. Manifests do not count.
    pub sent: u64,
    /// How many bytes of blobs the registry took over from another of its repositories.
    pub mounted: u64,
    /// How many bytes of blobs were there already.
    pub existing: u64,
}

/// The image for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportedImage {
    /// The target of the executable.
    pub target: Target,
    /// The platform by the names of OCI, such as `linux/arm64/v8`.
    pub platform: String,
    /// The digest of the manifest.
    pub digest: Digest,
}
