//! How recent the answer is to what a reference stands for.

use std::time::SystemTime;

/// Where the answer to what a reference stands for came from, and how old it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// The reference has a digest, or a [`Lock`](super::Lock) gives it one. A digest stands for one manifest for
    /// ever.
    Fixed,
    /// The registry, one of its mirrors or the image layout was asked during this call.
    Confirmed {
        /// When it answered.
        at: SystemTime,
    },
    /// The cache answered, and nothing was asked, as the [`PullPolicy`](super::PullPolicy) says.
    Cached {
        /// When the tag was last confirmed. This is in the future if a clock was wrong.
        confirmed: SystemTime,
    },
    /// The registry was asked and was unavailable, so the cache answered. The tag may have moved.
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

    /// Returns when the tag was last confirmed. Returns `None` for a digest.
    #[must_use]
    pub fn confirmed(&self) -> Option<SystemTime> {
        match self {
            Self::Fixed => None,
            Self::Confirmed { at } => Some(*at),
            Self::Cached { confirmed } | Self::Stale { confirmed, .. } => Some(*confirmed),
        }
    }
}
