//! Making room.

use std::fs::{File, remove_file};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Cache;
use super::entries::{Entry, last_use};
use super::error::Error;
use super::lock::{Lock, is_at, is_locked};
use super::paths::Place;

/// How long what was just used stays, if nothing else is said. It is longer, too, than anybody takes to
/// write one file.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// How long an interrupted download is kept for whoever might continue it.
const UNFINISHED_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What [`Cache::prune`] is to take. By default: nothing but interrupted downloads that nobody has
/// continued for a day.
///
/// Identities that were trusted on first use are never taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneOptions {
    /// How many bytes the cache may have. What was not used for longest goes first.
    pub max_size: Option<u64>,
    /// What was not used for longer goes.
    pub max_age: Option<Duration>,
    /// Everything goes that nobody is using at this moment, the grace period notwithstanding.
    pub all: bool,
    /// What was used since stays: the path of an executable that was just handed out is still to be
    /// started. Default: an hour.
    pub grace: Duration,
    /// Nothing goes: it is only said what would.
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

/// What [`Cache::prune`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The files that are gone.
    pub removed: Vec<PathBuf>,
    /// How many bytes they had.
    pub freed: u64,
    /// How many bytes are left.
    pub left: u64,
}

impl Cache {
    /// Removes what was not used for longest. What is being read, received or made stays, and so does
    /// what was used just now. A provider that runs goes on running when its executable is removed.
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
            // Used in the future, as a wrong clock has it: that is no reason to take it.
            let age = now.duration_since(entry.used).unwrap_or_default();
            if !options.wants(&entry.place, age, pruned.left) {
                continue;
            }
            let taken = self.take(&entry, options.dry_run);
            if taken.map_err(Error::file(&entry.path))? {
                pruned.freed += entry.size;
                pruned.left -= entry.size;
                pruned.removed.push(entry.path);
            }
        }
        Ok(pruned)
    }

    /// Removes a file that nobody is using or making. Whether it is gone.
    fn take(&self, entry: &Entry, dry_run: bool) -> io::Result<bool> {
        let file = match File::open(&entry.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        if !is_locked(file.try_lock())? {
            return Ok(false);
        }
        // Content that has its name already, but whose maker is not done with it.
        if let Place::Content(_, digest) = &entry.place
            && Lock::is_held(&self.paths.lock(digest))?
        {
            return Ok(false);
        }
        // While it is locked: whoever uses it notes that under a lock too, and sees then that it is gone.
        let unused = last_use(&entry.place, &file.metadata()?)? == entry.used;
        match unused && is_at(&file, &entry.path) {
            true if dry_run => Ok(true),
            true => remove(&entry.path),
            false => Ok(false),
        }
    }
}

impl PruneOptions {
    /// Whether a file goes that was last used so long ago, while the cache has `size` bytes.
    fn wants(&self, place: &Place, age: Duration, size: u64) -> bool {
        let recent = age < self.grace;
        let old = self.max_age.is_some_and(|max_age| age > max_age);
        let too_much = self.max_size.is_some_and(|max_size| size > max_size);
        match place {
            Place::Content(..) => self.all || !recent && (old || too_much),
            // Next to nothing is won by forgetting what tags stood for.
            Place::Reference(_) | Place::Memory => self.all || !recent && old,
            Place::Unfinished => self.all || !recent && (old || too_much || age > UNFINISHED_AGE),
            // Nobody locks them: only time tells that their process is gone.
            Place::Temporary => age > GRACE,
        }
    }
}

fn remove(path: &Path) -> io::Result<bool> {
    match remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}
