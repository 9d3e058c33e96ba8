//! What pruning removes.

use std::time::Duration;

use crate::content::Digest;

use super::paths::Purpose;

/// The default of [`PruneOptions::grace`]. Writing one small file never takes as long.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// How long an interrupted download is kept, so that it can be continued.
const UNFINISHED_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the description of a provider is kept after its content was removed.
const DESCRIPTION_AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What [`Cache::prune`](super::Cache::prune) removes. By default, it removes only downloads that were interrupted more than a day
/// ago.
///
/// Pins are never removed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PruneOptions {
    /// How many bytes the cache may keep. The files that were not used for longest are removed first. Default:
    /// any number.
    pub max_size: Option<u64>,
    /// Files that were not used for longer are removed. Default: the age does not matter.
    pub max_age: Option<Duration>,
    /// All files that no task is using at this moment, and that nobody has leased, are removed, even within the
    /// grace period. Default: no.
    pub all: bool,
    /// Files that were used within this time are kept: a caller may be about to start an executable whose path
    /// it has just got. Default: an hour.
    pub grace: Duration,
    /// The digests of manifests and image indexes that are kept, with all that belongs to them. Default: none.
    pub keep: Vec<Digest>,
    /// Nothing is removed; the result is what would be. Default: no.
    pub dry_run: bool,
}

impl Default for PruneOptions {
    fn default() -> Self {
        Self {
            max_size: None,
            max_age: None,
            all: false,
            grace: GRACE,
            keep: Vec::new(),
            dry_run: false,
        }
    }
}

impl PruneOptions {
    /// Sets how many bytes the cache may keep.
    #[must_use]
    pub fn with_max_size(mut self, bytes: u64) -> Self {
        self.max_size = Some(bytes);
        self
    }

    /// Sets the age beyond which files that were not used are removed.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Sets whether to remove all files that no task is using.
    #[must_use]
    pub fn with_all(mut self, all: bool) -> Self {
        self.all = all;
        self
    }

    /// Sets for how long files are kept after a use.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Keeps these manifests and image indexes as well, with all that belongs to them: what a
    /// [`Lock`](crate::Lock) names, for example.
    #[must_use]
    pub fn with_keep(mut self, digests: impl IntoIterator<Item = Digest>) -> Self {
        self.keep.extend(digests);
        self
    }

    /// Sets whether to report what would be removed, and to remove nothing.
    #[must_use]
    pub fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

impl PruneOptions {
    /// Whether to remove a file that was last used `age` ago, while the cache has `size` bytes.
    pub(super) fn select(&self, purpose: &Purpose, age: Duration, size: u64) -> bool {
        let recent = age < self.grace;
        let old = self.max_age.is_some_and(|max_age| age > max_age);
        let too_much = self.max_size.is_some_and(|max_size| size > max_size);
        match purpose {
            Purpose::Content(..) | Purpose::Program(_) => self.all || !recent && (old || too_much),
            // Removing these small files does not make room.
            Purpose::Reference(_) | Purpose::Head(_) | Purpose::Bundle(_) | Purpose::Hint => {
                self.all || !recent && old
            }
            // It says which executable a process still runs, after that was pruned.
            Purpose::Provider(_) => self.all || age > DESCRIPTION_AGE,
            Purpose::Unfinished => self.all || !recent && (old || too_much || age > UNFINISHED_AGE),
            Purpose::Temporary => self.all || age > GRACE,
        }
    }
}
