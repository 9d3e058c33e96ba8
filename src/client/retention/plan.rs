//! What a plan is.

use std::collections::BTreeSet;
use std::time::SystemTime;

use crate::content::Digest;
use crate::oci::RegistryReference;

/// Which tags of a repository may go.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Retention {
    /// The tags that may go. All others stay. A tag of what is attached to a digest, such as `sha256-….sig`, goes only with
    /// the manifest that it belongs to.
    pub tags: BTreeSet<String>,
    /// Only what was made before this time goes. What does not say when it was made stays. Default: any age.
    pub made_before: Option<SystemTime>,
    /// Digests of manifests that stay with all their tags. Default: none.
    pub locked: BTreeSet<Digest>,
    /// Tags that stay. Default: none.
    pub locked_tags: BTreeSet<String>,
}

/// What is deleted from a repository.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PrunePlan {
    /// The repository.
    pub repository: RegistryReference,
    /// The manifests that lose tags, by their first tag.
    pub pruned: Vec<PrunedManifest>,
    /// The tags that could have gone, and stay.
    pub kept: Vec<KeptTag>,
    /// What stays, and what that needs. It is not deleted with a manifest that it belongs to.
    pub(super) needed: BTreeSet<Digest>,
}

/// A manifest that loses tags.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrunedManifest {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The tags that go, sorted.
    pub tags: Vec<String>,
    /// When it was made, if that is known.
    pub created: Option<SystemTime>,
    /// Why the manifest stays, and only the tags are removed. `None`: the manifest is deleted.
    pub stays: Option<String>,
}

/// A tag that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptTag {
    /// The tag.
    pub tag: String,
    /// The digest of the manifest that it names.
    pub digest: Digest,
    /// Why it stays.
    pub reason: KeepReason,
}

/// Why a tag stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeepReason {
    /// A lock names it, or its manifest.
    Locked,
    /// It is not old enough.
    Young,
    /// It does not say when it was made.
    UnknownAge,
}
