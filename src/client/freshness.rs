//! How, and when, a reference was resolved to a manifest.

use std::time::SystemTime;

/// How a reference was resolved to a manifest: by its digest, by an answer of the registry or the layout, or from the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// The reference has a digest, or a [`Lock`](super::Lock) gives it one. A digest always stands for the same
    /// manifest.
    Fixed,
    /// The registry, one of its mirrors or the image layout was asked, during this call or by the fetch of another task
    /// whose result this call shares.
    Confirmed {
        /// When the registry, the mirror or the layout answered.
        at: SystemTime,
    },
    /// The cache has the answer, and the [`PullPolicy`](super::PullPolicy) did not demand to ask the registry.
    Cached {
        /// When the tag was last confirmed. This is in the future if a clock was wrong.
        confirmed: SystemTime,
    },
    /// The registry was asked and was unavailable, so the answer in the cache was used. The tag may have moved since.
    Stale {
        /// When the tag was last confirmed. This is in the future if a clock was wrong.
        confirmed: SystemTime,
        /// Why the registry was unavailable, on one line.
        reason: String,
    },
}

impl Freshness {
    /// Returns whether the registry was asked and was unavailable.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Stale { .. })
    }

    /// Returns the time at which the tag was last confirmed, or `None` for a digest.
    #[must_use]
    pub fn confirmed(&self) -> Option<SystemTime> {
        match self {
            Self::Fixed => None,
            Self::Confirmed { at } => Some(*at),
            Self::Cached { confirmed } | Self::Stale { confirmed, .. } => Some(*confirmed),
        }
    }
}
