//! The plan for a deletion: which tags and manifests of a repository are removed.

use std::collections::BTreeSet;
use std::time::SystemTime;

use crate::content::Digest;
use crate::oci::RegistryReference;

use super::manifests::Manifests;

/// Which tags of a repository may be removed.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Retention {
    /// The tags that may be removed. All others stay. A tag made of a digest, such as `sha256-….sig`, is removed only
    /// with the manifest that has this digest.
    pub tags: BTreeSet<String>,
    /// Only tags of manifests that were made before this time are removed. A manifest without a time keeps its tags.
    /// Default: `None`, the age does not matter.
    pub made_before: Option<SystemTime>,
    /// Digests of manifests that stay with all their tags. Default: none.
    pub locked: BTreeSet<Digest>,
    /// Tags that stay. Default: none.
    pub locked_tags: BTreeSet<String>,
}

/// A plan which tags and manifests of a repository to delete.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PrunePlan {
    /// The repository.
    pub repository: RegistryReference,
    /// The manifests that lose tags, sorted by their first tag.
    pub pruned: Vec<PrunedManifest>,
    /// The tags that [`Retention::tags`] selects and that stay.
    pub kept: Vec<KeptTag>,
    /// The digests of the manifests that stay, and of the content that they need. None of it is deleted, even if it is
    /// attached to a manifest that is deleted.
    pub(super) needed: BTreeSet<Digest>,
    /// The manifests of the repository that were read for the plan.
    pub(super) manifests: Manifests,
}

/// A manifest that loses tags.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrunedManifest {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The tags to remove, sorted.
    pub tags: Vec<String>,
    /// When the manifest was made, if that is known.
    pub created: Option<SystemTime>,
    /// Why the manifest stays, and only the tags are removed. `None`: the manifest is deleted.
    pub stays: Option<String>,
    /// The digests of the attachments that are deleted with the manifest. Each one comes before the manifest that it is
    /// attached to. Empty if the manifest stays.
    pub attached: Vec<Digest>,
}

/// A tag that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptTag {
    /// The tag.
    pub tag: String,
    /// The digest of the manifest that the tag names.
    pub digest: Digest,
    /// Why the tag stays.
    pub reason: KeepReason,
}

/// Why a tag stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeepReason {
    /// A lock names the tag or its manifest.
    Locked,
    /// The manifest is not old enough.
    Young,
    /// It is not known when the manifest was made.
    UnknownAge,
}
