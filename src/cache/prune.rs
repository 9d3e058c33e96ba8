//! Pruning: removing files that have not been used for a long time.
//!
//! Providers stay able to start without the registry for as long as possible. Archives are removed first if their
//! executables are cached. Then follow executables, each with its manifest, and last manifests without archive and
//! executables. The manifest of an executable that stays is never removed.

use std::fs::{File, remove_file};
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::content::{Digest, Locking, if_found, is_at};

use super::dependencies::Dependencies;
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
    /// The executables that would have been removed, but are leased or in use.
    pub in_use: Vec<PathBuf>,
    /// How many bytes these files took on this disk.
    pub freed: u64,
    /// How many bytes the remaining files take on this disk.
    pub left: u64,
}

/// The outcome of an attempt to remove a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Removed,
    /// The file is leased, or a task uses or makes it.
    InUse,
    /// The file has changed, has been used since it was listed, or has to stay.
    Kept,
}

impl Cache {
    /// Removes the least recently used files. Files that are being read, received or made, files that are
    /// [leased](crate::Fetched::lease), and files that were used recently are kept. A provider that is running keeps
    /// running when its executable is removed. Blocks.
    ///
    /// Archives whose executables are cached are removed first, then executables with their manifests. The manifest of
    /// an executable that stays is kept, so that the executable can still be started without the registry.
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
            dependencies: Dependencies::new(&inventory, &options.keep),
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
    dependencies: Dependencies<'a>,
    pruned: Pruned,
}

impl Pruning<'_> {
    fn run(mut self) -> Result<Pruned, Error> {
        for entry in &self.inventory.entries {
            match &entry.purpose {
                Purpose::Content(Kind::Blob, digest) if self.dependencies.is_spare(digest) => {
                    self.consider(entry)?;
                }
                Purpose::Unfinished | Purpose::Temporary => drop(self.consider(entry)?),
                _ => {}
            }
        }
        for entry in &self.inventory.entries {
            match &entry.purpose {
                Purpose::Content(Kind::Blob, digest) if self.dependencies.is_needed(digest) => {
                    self.consider(entry)?;
                }
                Purpose::Content(Kind::Executable, digest) => self.executable(entry, digest)?,
                // The executable of this name was pruned or replaced.
                Purpose::Program(_) if entry.disk > 0 => {
                    self.consider(entry)?;
                }
                _ => {}
            }
        }
        for entry in &self.inventory.entries {
            match &entry.purpose {
                Purpose::Content(Kind::Blob, digest) if self.dependencies.is_manifest(digest) => {
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

    /// Removes an executable if the options select it, and then the files that only this executable needed.
    fn executable(&mut self, entry: &Entry, digest: &Digest) -> Result<(), Error> {
        match self.consider(entry)? {
            Outcome::InUse => {
                let paths = self.cache.program_paths(digest)?;
                let path = paths.into_iter().next();
                let path = path.unwrap_or_else(|| entry.path.clone());
                self.pruned.in_use.push(path);
                self.dependencies.hold(digest);
            }
            Outcome::Removed => {
                // An archive may have stayed only for this executable.
                for layer in self.dependencies.layers_of(digest) {
                    if let Some(entry) = self.inventory.find(Kind::Blob, &layer) {
                        self.consider(entry)?;
                    }
                }
                for manifest in self.dependencies.manifests_of(digest) {
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
        // A use in the future comes from a wrong clock. It counts as a use at this moment.
        self.now.duration_since(entry.used).unwrap_or_default()
    }

    /// Removes a file if the options select it.
    fn consider(&mut self, entry: &Entry) -> Result<Outcome, Error> {
        let left = self.pruned.left;
        if !self.options.select(&entry.purpose, self.age(entry), left) {
            return Ok(Outcome::Kept);
        }
        self.attempt(entry)
    }

    /// Removes a file unless another file that stays needs it, or a task uses or makes it.
    fn attempt(&mut self, entry: &Entry) -> Result<Outcome, Error> {
        let purpose = &entry.purpose;
        if self.dependencies.is_gone(purpose)
            || self.dependencies.must_stay(purpose, self.options.all)
        {
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
            // Users know the executable by its readable names.
            if names.is_empty() {
                self.pruned.removed.push(entry.path.clone());
            } else {
                self.pruned.removed.extend(names);
            }
            self.dependencies.removed(&entry.purpose);
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
        // On a file system without locks, this cannot be known. A task that uses the file can still read it after it is
        // removed.
        if Locking::exclusive(&file, &entry.path)? == Locking::Busy {
            return Ok(Outcome::InUse);
        }
        // An executable may have its final name before the task that makes it has finished.
        if let Purpose::Content(_, digest) = &entry.purpose
            && Lock::is_held(&self.paths.lock(digest))?
        {
            return Ok(Outcome::InUse);
        }
        // This is checked under the lock, because a task records its use under a shared lock and then checks that the
        // file is still at its path.
        let unused = last_use(&entry.purpose, &file.metadata()?)? == entry.used;
        if !unused || !is_at(&file, &entry.path)? {
            return Ok(Outcome::Kept);
        }
        if dry_run {
            return Ok(Outcome::Removed);
        }
        if let Purpose::Content(Kind::Executable, digest) = &entry.purpose {
            // The readable names are removed first. If one were left behind, the file would still take its space.
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
