//! Pruning: removing files that were not used for long.
//!
//! What can be started stays so for as long as possible: the archives of executables that are cached go first, then
//! executables, each with its manifest, and last the manifests to which nothing belongs any more. The manifest of an
//! executable that stays is never removed.

use std::fs::{File, remove_file};
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::content::{Digest, Locking, if_found, is_at};

use super::belongings::Belongings;
use super::entries::{Entry, last_use};
use super::error::Error;
use super::inventory::Inventory;
use super::lock::Lock;
use super::open::Cache;
use super::paths::{Kind, Purpose};
use super::prune_options::PruneOptions;

/// The result of [`Cache::prune`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// The files that were removed.
    pub removed: Vec<PathBuf>,
    /// The executables that would have been removed, if they were not leased or in use otherwise.
    pub in_use: Vec<PathBuf>,
    /// How many bytes these files took on this disk.
    pub freed: u64,
    /// How many bytes the remaining files take on this disk.
    pub left: u64,
}

/// What was done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Removed,
    /// It is leased, or a task uses it or makes it.
    InUse,
    /// It has changed, or was used meanwhile, or is not to be removed.
    Kept,
}

impl Cache {
    /// Removes the files that were not used for longest. Files that are being read, received or made, or that are
    /// [leased](crate::Fetched::lease), are kept, and so are files that were just used. A provider that is running
    /// keeps running when its executable is removed. Blocks.
    ///
    /// Archives whose executables are cached are removed first, then executables with their manifests. The manifest
    /// of an executable that stays is kept, so that what can be started without the registry stays so.
    ///
    /// # Errors
    ///
    /// [`Error::File`].
    pub fn prune(&self, options: &PruneOptions) -> Result<Pruned, Error> {
        let inventory = Inventory::of(self)?;
        let left = inventory.entries.iter().map(|entry| entry.disk).sum();
        let pruning = Pruning {
            cache: self,
            options,
            now: SystemTime::now(),
            belongings: Belongings::new(&inventory, &options.keep),
            inventory: &inventory,
            pruned: Pruned {
                left,
                ..Pruned::default()
            },
        };
        pruning.run()
    }
}

struct Pruning<'a> {
    cache: &'a Cache,
    options: &'a PruneOptions,
    now: SystemTime,
    inventory: &'a Inventory,
    belongings: Belongings<'a>,
    pruned: Pruned,
}

impl Pruning<'_> {
    fn run(mut self) -> Result<Pruned, Error> {
        for entry in &self.inventory.entries {
            match &entry.purpose {
                Purpose::Content(Kind::Blob, digest) if self.belongings.is_spare(digest) => {
                    self.consider(entry)?;
                }
                Purpose::Unfinished | Purpose::Temporary => drop(self.consider(entry)?),
                _ => {}
            }
        }
        for entry in &self.inventory.entries {
            match &entry.purpose {
                Purpose::Content(Kind::Blob, digest) if self.belongings.is_needed(digest) => {
                    self.consider(entry)?;
                }
                Purpose::Content(Kind::Executable, digest) => self.executable(entry, digest)?,
                // A name of a file that was pruned or replaced.
                Purpose::Program(_) if entry.disk > 0 => {
                    self.consider(entry)?;
                }
                _ => {}
            }
        }
        for entry in &self.inventory.entries {
            match &entry.purpose {
                Purpose::Content(Kind::Blob, digest) if self.belongings.is_manifest(digest) => {
                    self.consider(entry)?;
                }
                _ => {}
            }
        }
        for entry in &self.inventory.entries {
            match &entry.purpose {
                Purpose::Content(..)
                | Purpose::Program(_)
                | Purpose::Unfinished
                | Purpose::Temporary => {}
                Purpose::Reference(_)
                | Purpose::Head(_)
                | Purpose::Provider(_)
                | Purpose::Bundle(_)
                | Purpose::Hint => {
                    self.consider(entry)?;
                }
            }
        }
        Ok(self.pruned)
    }

    /// Removes an executable if the options say so, and then what belongs to nothing else.
    fn executable(&mut self, entry: &Entry, digest: &Digest) -> Result<(), Error> {
        match self.consider(entry)? {
            Outcome::InUse => {
                let paths = self.cache.program_paths(digest)?;
                let path = paths.into_iter().next();
                let path = path.unwrap_or_else(|| entry.path.clone());
                self.pruned.in_use.push(path);
                self.belongings.hold(digest);
            }
            Outcome::Removed => {
                // An archive may have been kept for this executable.
                for layer in self.belongings.layers_of(digest) {
                    if let Some(entry) = self.inventory.find(Kind::Blob, &layer) {
                        self.consider(entry)?;
                    }
                }
                for manifest in self.belongings.manifests_of(digest) {
                    if let Some(entry) = self.inventory.find(Kind::Blob, &manifest)
                        && (self.options.all || self.age(entry) >= self.options.grace)
                    {
                        self.attempt(entry)?;
                    }
                }
            }
            Outcome::Kept => {}
        }
        Ok(())
    }

    fn age(&self, entry: &Entry) -> std::time::Duration {
        // A use in the future comes from a clock that was wrong, and counts as a use just now.
        self.now.duration_since(entry.used).unwrap_or_default()
    }

    /// Removes a file if the options say so.
    fn consider(&mut self, entry: &Entry) -> Result<Outcome, Error> {
        let left = self.pruned.left;
        if !self.options.select(&entry.purpose, self.age(entry), left) {
            return Ok(Outcome::Kept);
        }
        self.attempt(entry)
    }

    /// Removes a file unless something that stays needs it, or a task uses or makes it.
    fn attempt(&mut self, entry: &Entry) -> Result<Outcome, Error> {
        let purpose = &entry.purpose;
        if self.belongings.is_gone(purpose) || self.belongings.is_bound(purpose, self.options.all) {
            return Ok(Outcome::Kept);
        }
        let names = match &entry.purpose {
            Purpose::Content(Kind::Executable, digest) => self.cache.program_paths(digest)?,
            _ => Vec::new(),
        };
        let outcome = self.cache.remove_unused(entry, self.options.dry_run);
        let outcome = outcome.map_err(Error::file(&entry.path))?;
        if outcome == Outcome::Removed {
            self.pruned.freed += entry.disk;
            self.pruned.left = self.pruned.left.saturating_sub(entry.disk);
            // People know the executable by these.
            if names.is_empty() {
                self.pruned.removed.push(entry.path.clone());
            } else {
                self.pruned.removed.extend(names);
            }
            self.belongings.removed(&entry.purpose);
        }
        Ok(outcome)
    }
}

impl Cache {
    /// Removes a file unless a task is using or making it.
    fn remove_unused(&self, entry: &Entry, dry_run: bool) -> io::Result<Outcome> {
        let Some(file) = if_found(File::open(&entry.path))? else {
            return Ok(Outcome::Kept);
        };
        // Without locks nobody can tell. A file that is in use stays open when it is removed.
        if Locking::exclusive(&file, &entry.path)? == Locking::Busy {
            return Ok(Outcome::InUse);
        }
        // An executable may have its final name before the task that makes it has finished.
        if let Purpose::Content(_, digest) = &entry.purpose
            && Lock::is_held(&self.paths.lock(digest))?
        {
            return Ok(Outcome::InUse);
        }
        // Checked under the lock: a task notes its use under a shared lock, and then checks that the file is
        // still there.
        let unused = last_use(&entry.purpose, &file.metadata()?)? == entry.used;
        if !unused || !is_at(&file, &entry.path)? {
            return Ok(Outcome::Kept);
        }
        if dry_run {
            return Ok(Outcome::Removed);
        }
        if let Purpose::Content(Kind::Executable, digest) = &entry.purpose {
            // Before the file itself: a name that is left behind takes all of its space.
            self.remove_programs(digest).map_err(io::Error::other)?;
        }
        let removed = if_found(remove_file(&entry.path))?.is_some();
        if let Purpose::Program(digest) = &entry.purpose {
            self.remove_empty_directory(digest);
        }
        Ok(if removed {
            Outcome::Removed
        } else {
            Outcome::Kept
        })
    }
}

#[cfg(test)]
#[path = "tests/prune.rs"]
mod tests;
