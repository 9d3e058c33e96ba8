//! Pruning: removing files that were not used for long.

use std::fs::{File, remove_file};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::content::{Locking, if_found, is_at};

use super::entries::{Entry, last_use};
use super::error::Error;
use super::lock::Lock;
use super::open::Cache;
use super::paths::Purpose;

/// The default of [`PruneOptions::grace`]. Writing one small file never takes as long.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// How long an interrupted download is kept, so that it can be continued.
const UNFINISHED_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What [`Cache::prune`] removes. By default, it removes only downloads that were interrupted more than a day
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
    /// All files that no task is using at this moment are removed, even within the grace period. Default: no.
    pub all: bool,
    /// Files that were used within this time are kept: a caller may be about to start an executable whose path
    /// it has just got. Default: an hour.
    pub grace: Duration,
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

    /// Sets whether to report what would be removed, and to remove nothing.
    #[must_use]
    pub fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

/// The result of [`Cache::prune`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// The files that were removed.
    pub removed: Vec<PathBuf>,
    /// How many bytes these files had.
    pub freed: u64,
    /// How many bytes the remaining files have.
    pub left: u64,
}

impl Cache {
    /// Removes the files that were not used for longest. Files that are being read, received or made are kept,
    /// and so are files that were just used. A provider that is running keeps running when its executable is
    /// removed. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::File`].
    pub fn prune(&self, options: &PruneOptions) -> Result<Pruned, Error> {
        let now = SystemTime::now();
        let mut entries = self.entries()?;
        entries.sort_by_key(|entry| entry.used);
        let mut pruned = Pruned {
            left: entries.iter().map(|entry| entry.size).sum(),
            ..Pruned::default()
        };
        for entry in entries {
            // A use in the future comes from a clock that was wrong, and counts as a use just now.
            let age = now.duration_since(entry.used).unwrap_or_default();
            if !options.select(&entry.purpose, age, pruned.left) {
                continue;
            }
            let removed = self.remove_unused(&entry, options.dry_run);
            if removed.map_err(Error::file(&entry.path))? {
                pruned.freed += entry.size;
                pruned.left -= entry.size;
                pruned.removed.push(entry.path);
            }
        }
        Ok(pruned)
    }

    /// Removes a file unless a task is using or making it. Returns whether it was removed.
    fn remove_unused(&self, entry: &Entry, dry_run: bool) -> io::Result<bool> {
        let Some(file) = if_found(File::open(&entry.path))? else {
            return Ok(false);
        };
        // Without locks nobody can tell. A file that is in use stays open when it is removed.
        if Locking::exclusive(&file, &entry.path)? == Locking::Busy {
            return Ok(false);
        }
        // An executable may have its final name before the task that makes it has finished.
        if let Purpose::Content(_, digest) = &entry.purpose
            && Lock::is_held(&self.paths.lock(digest))?
        {
            return Ok(false);
        }
        // Checked under the lock: a task notes its use under a shared lock, and then checks that the file is
        // still there.
        let unused = last_use(&entry.purpose, &file.metadata()?)? == entry.used;
        if !unused || !is_at(&file, &entry.path)? {
            return Ok(false);
        }
        Ok(dry_run || if_found(remove_file(&entry.path))?.is_some())
    }
}

impl PruneOptions {
    /// Whether to remove a file that was last used `age` ago, while the cache has `size` bytes.
    fn select(&self, purpose: &Purpose, age: Duration, size: u64) -> bool {
        let recent = age < self.grace;
        let old = self.max_age.is_some_and(|max_age| age > max_age);
        let too_much = self.max_size.is_some_and(|max_size| size > max_size);
        match purpose {
            Purpose::Content(..) => self.all || !recent && (old || too_much),
            // Removing these small files does not make room.
            Purpose::Reference(_) | Purpose::Hint => self.all || !recent && old,
            Purpose::Unfinished => self.all || !recent && (old || too_much || age > UNFINISHED_AGE),
            Purpose::Temporary => self.all || age > GRACE,
        }
    }
}
