//! The options of pruning.

use std::time::Duration;

use crate::content::Digest;

use super::paths::Purpose;

/// The default of [`PruneOptions::grace`], and the age after which a temporary file is removed. Writing a small file
/// never takes so long.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// How long an interrupted download is kept, so that it can be continued.
const UNFINISHED_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the description of a provider is kept after its content was removed.
const DESCRIPTION_AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The options of [`Cache::prune`](super::Cache::prune). By default, it removes what interrupted transfers have left more
/// than a day ago, temporary files that are older than an hour, and descriptions that are older than 90 days, of providers
/// whose manifests are no longer in the cache.
///
/// Pins are never removed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PruneOptions {
    /// How many bytes the cache may keep. The least recently used files are removed first. Default: no limit.
    pub max_size: Option<u64>,
    /// Files that have not been used for longer than this are removed. Default: no limit.
    pub max_age: Option<Duration>,
    /// Removes all files that are neither in use nor leased, even within the grace period. Default: no.
    pub all: bool,
    /// Files that were used within this time are kept, because a caller may be about to start an executable whose path
    /// it has just received. Default: an hour.
    pub grace: Duration,
    /// The digests of manifests and image indexes that are kept, with all files that belong to them. Default: none.
    pub keep: Vec<Digest>,
    /// Removes nothing. The result lists the files that would be removed. Default: no.
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

    /// Sets the time after which files that have not been used are removed.
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

    /// Also keeps these manifests and image indexes, with all files that belong to them. For example, pass the digests
    /// in a [`Lock`](crate::Lock).
    #[must_use]
    pub fn with_keep(mut self, digests: impl IntoIterator<Item = Digest>) -> Self {
        self.keep.extend(digests);
        self
    }

    /// Sets whether to remove nothing, and only report the files that would be removed.
    #[must_use]
    pub fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

impl PruneOptions {
    /// Whether files with this purpose can be removed for the sake of [`max_size`](Self::max_size).
    pub(super) fn limits_size_of(purpose: &Purpose) -> bool {
        matches!(
            purpose,
            Purpose::Content(..) | Purpose::Program(_) | Purpose::Unfinished
        )
    }

    /// Whether to remove a file that was last used `age` ago, while the cache has `size` bytes.
    pub(super) fn select(&self, purpose: &Purpose, age: Duration, size: u64) -> bool {
        let recent = age < self.grace;
        let old = self.max_age.is_some_and(|max_age| age > max_age);
        let too_much = self.max_size.is_some_and(|max_size| size > max_size);
        match purpose {
            Purpose::Content(..) | Purpose::Program(_) => self.all || !recent && (old || too_much),
            // These files are small, so removing them for `max_size` would hardly free space.
            Purpose::Reference(_) | Purpose::Head(_) | Purpose::Bundle(_) | Purpose::Hint => {
                self.all || !recent && old
            }
            // A process may still run an executable that was pruned. The description tells which provider it is.
            Purpose::Provider(_) => self.all || age > DESCRIPTION_AGE,
            Purpose::Unfinished => self.all || !recent && (old || too_much || age > UNFINISHED_AGE),
            Purpose::Temporary => self.all || age > GRACE,
        }
    }
}
