//! Pruning: removing files that have not been used for a long time.
//!
//! Providers stay able to start without the registry for as long as possible. Archives are removed first if their
//! executables are cached. Then follow executables, each with its manifest, and last manifests without archive and
//! executables. The manifest of an executable that stays is never removed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::content::{Digest, Locking, is_at};

use super::dependencies::Dependencies;
use super::entries::{Entry, Obstruction, last_use};
use super::error::Error;
use super::files::{open_file, remove, remove_non_directory, remove_obstruction};
use super::inventory::Inventory;
use super::lock::Lock;
use super::open::Cache;
use super::paths::{Kind, Purpose};
use super::prune_options::PruneOptions;

/// The result of [`Cache::prune`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Pruned {
    /// The files that were removed, or that would be removed with [`PruneOptions::dry_run`]. Whatever else was at the path
    /// of a file is here too, such as a directory: it is damaged, and removed whatever the options select.
    pub removed: Vec<PathBuf>,
    /// The executables that would have been removed, but are leased or in use.
    pub in_use: Vec<PathBuf>,
    /// How many bytes the files in [`removed`](Self::removed) took on this disk.
    pub freed: u64,
    /// How many bytes the remaining files take on this disk.
    pub left: u64,
    /// Why files could not be read or removed. They stay. Empty if there was no failure.
    pub failures: Vec<Error>,
    /// How many of the bytes in [`left`](Self::left) belong to files that [`PruneOptions::max_size`] can select. The other
    /// files are small records.
    pub(crate) left_content: u64,
    /// Whether pruning was stopped while there was more to remove.
    pub(crate) is_stopped: bool,
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
    /// A file that cannot be read or removed does not keep the others: its error is in [`Pruned::failures`].
    ///
    /// # Errors
    ///
    /// [`Error::File`] when the directory of the cache cannot be read.
    pub fn prune(&self, options: &PruneOptions) -> Result<Pruned, Error> {
        self.prune_until(options, &|| false)
    }

    /// Prunes as [`prune`](Self::prune) does, until `stop` returns `true`. It is asked before each file is removed.
    pub(crate) fn prune_until(
        &self,
        options: &PruneOptions,
        stop: &dyn Fn() -> bool,
    ) -> Result<Pruned, Error> {
        let mut inventory = Inventory::of_readable(self)?;
        let failures = std::mem::take(&mut inventory.failures);
        let files = inventory.entries.iter().map(|entry| entry.disk);
        let obstructions = inventory.obstructions.iter().map(|found| found.disk);
        let left = files.chain(obstructions).sum();
        let content = inventory.entries.iter();
        let content = content.filter(|entry| PruneOptions::limits_size_of(&entry.purpose));
        let left_content = content.map(|entry| entry.disk).sum();
        let pruning = Pruning {
            cache: self,
            options,
            stop,
            now: SystemTime::now(),
            dependencies: Dependencies::new(&inventory, &options.keep),
            inventory: &inventory,
            failed: BTreeSet::new(),
            pruned: Pruned {
                left,
                left_content,
                failures,
                ..Pruned::default()
            },
        };
        Ok(pruning.run())
    }
}

struct Pruning<'a> {
    cache: &'a Cache,
    options: &'a PruneOptions,
    stop: &'a dyn Fn() -> bool,
    now: SystemTime,
    inventory: &'a Inventory,
    dependencies: Dependencies<'a>,
    /// The files that could not be removed. They are not tried again.
    failed: BTreeSet<PathBuf>,
    pruned: Pruned,
}

impl Pruning<'_> {
    fn run(mut self) -> Pruned {
        for obstruction in &self.inventory.obstructions {
            self.remove_obstruction(obstruction);
        }
        for entry in &self.inventory.entries {
            match &entry.purpose {
                Purpose::Content(Kind::Blob, digest) if self.dependencies.is_spare(digest) => {
                    self.consider(entry);
                }
                Purpose::Unfinished | Purpose::Temporary => drop(self.consider(entry)),
                _ => {}
            }
        }
        for entry in &self.inventory.entries {
            match &entry.purpose {
                Purpose::Content(Kind::Blob, digest) if self.dependencies.is_needed(digest) => {
                    self.consider(entry);
                }
                Purpose::Content(Kind::Executable, digest) => self.executable(entry, digest),
                // The executable of this name was pruned or replaced.
                Purpose::Program(_) if entry.disk > 0 => {
                    self.consider(entry);
                }
                _ => {}
            }
        }
        // An image index stays while its manifest is there, which may come after it.
        for entry in self.inventory.entries.iter().chain(&self.inventory.entries) {
            match &entry.purpose {
                Purpose::Content(Kind::Blob, digest) if self.dependencies.is_manifest(digest) => {
                    self.consider(entry);
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
                    self.consider(entry);
                }
            }
        }
        self.pruned
    }

    /// Removes what is in the place of a file or a directory.
    fn remove_obstruction(&mut self, obstruction: &Obstruction) {
        if self.stops() {
            return;
        }
        let path = &obstruction.path;
        let removed = match &obstruction.purpose {
            _ if self.options.dry_run => Ok(true),
            Some(_) => remove_obstruction(path),
            None => remove_non_directory(path),
        };
        match removed {
            Ok(true) => {
                self.pruned.removed.push(path.clone());
                self.pruned.freed += obstruction.disk;
                self.pruned.left = self.pruned.left.saturating_sub(obstruction.disk);
            }
            // Another process has removed it.
            Ok(false) => {}
            Err(error) => self.pruned.failures.push(Error::file(path)(error)),
        }
    }

    /// Removes an executable if the options select it, and then the files that only this executable needed.
    fn executable(&mut self, entry: &Entry, digest: &Digest) {
        match self.consider(entry) {
            Outcome::InUse => {
                // Without its readable names, the executable is known by its hash.
                let paths = self.cache.program_paths(digest).unwrap_or_default();
                let path = paths.into_iter().next();
                let path = path.unwrap_or_else(|| entry.path.clone());
                self.pruned.in_use.push(path);
                self.dependencies.hold(digest);
            }
            Outcome::Removed => {
                // An archive may have stayed only for this executable.
                for layer in self.dependencies.layers_of(digest) {
                    if let Some(entry) = self.inventory.find(Kind::Blob, &layer) {
                        self.consider(entry);
                    }
                }
                for manifest in self.dependencies.manifests_of(digest) {
                    if let Some(entry) = self.inventory.find(Kind::Blob, &manifest)
                        && (self.options.all || self.age(entry) >= self.options.grace)
                    {
                        self.attempt(entry);
                    }
                }
            }
            Outcome::Kept => {}
        }
    }

    fn age(&self, entry: &Entry) -> std::time::Duration {
        // A use in the future comes from a wrong clock. It counts as a use at this moment.
        self.now.duration_since(entry.used).unwrap_or_default()
    }

    /// Removes a file if the options select it.
    fn consider(&mut self, entry: &Entry) -> Outcome {
        let left = self.pruned.left;
        if !self.options.select(&entry.purpose, self.age(entry), left) {
            return Outcome::Kept;
        }
        self.attempt(entry)
    }

    /// Whether pruning has to stop now.
    fn stops(&mut self) -> bool {
        self.pruned.is_stopped |= (self.stop)();
        self.pruned.is_stopped
    }

    /// Removes a file unless another file that stays needs it, or a task uses or makes it. A file that cannot be removed
    /// stays.
    fn attempt(&mut self, entry: &Entry) -> Outcome {
        let purpose = &entry.purpose;
        if self.dependencies.is_gone(purpose)
            || self.dependencies.must_stay(purpose, self.options.all)
            || self.failed.contains(&entry.path)
            || self.stops()
        {
            return Outcome::Kept;
        }
        self.removed(entry).unwrap_or_else(|error| {
            self.failed.insert(entry.path.clone());
            self.pruned.failures.push(error);
            Outcome::Kept
        })
    }

    fn removed(&mut self, entry: &Entry) -> Result<Outcome, Error> {
        let purpose = &entry.purpose;
        let names = match purpose {
            Purpose::Content(Kind::Executable, digest) => self.cache.program_paths(digest)?,
            _ => Vec::new(),
        };
        let outcome = self.cache.remove_unused(entry, self.options.dry_run)?;
        if outcome == Outcome::Removed {
            self.pruned.freed += entry.disk;
            self.pruned.left = self.pruned.left.saturating_sub(entry.disk);
            if PruneOptions::limits_size_of(purpose) {
                let left = self.pruned.left_content.saturating_sub(entry.disk);
                self.pruned.left_content = left;
            }
            // Users know the executable by its readable names.
            if names.is_empty() {
                self.pruned.removed.push(entry.path.clone());
            } else {
                self.pruned.removed.extend(names);
            }
            self.dependencies.removed(purpose);
        }
        Ok(outcome)
    }
}

impl Cache {
    /// Removes a file unless a task is using or making it.
    fn remove_unused(&self, entry: &Entry, dry_run: bool) -> Result<Outcome, Error> {
        let failed = |error| Error::file(&entry.path)(error);
        let Some(file) = open_file(&entry.path).map_err(failed)? else {
            return Ok(Outcome::Kept);
        };
        // On a file system without locks, this cannot be known. A task that uses the file can still read it after it is
        // removed.
        if Locking::exclusive(&file, &entry.path).map_err(failed)? == Locking::Busy {
            return Ok(Outcome::InUse);
        }
        // An executable may have its final name before the task that makes it has finished.
        if let Purpose::Content(_, digest) = &entry.purpose
            && Lock::is_held(&self.paths.lock(digest)).map_err(failed)?
        {
            return Ok(Outcome::InUse);
        }
        // This is checked under the lock, because a task records its use under a shared lock and then checks that the
        // file is still at its path.
        let used = file.metadata();
        let used = used.and_then(|metadata| last_use(&entry.purpose, &metadata));
        let is_unused = used.map_err(failed)? == entry.used;
        if !is_unused || !is_at(&file, &entry.path).map_err(failed)? {
            return Ok(Outcome::Kept);
        }
        if dry_run {
            return Ok(Outcome::Removed);
        }
        if let Purpose::Content(Kind::Executable, digest) = &entry.purpose {
            // The readable names are removed first. If one were left behind, the file would still take its space.
            self.remove_programs(digest)?;
        }
        let is_removed = remove(&entry.path).map_err(failed)?;
        if let Purpose::Program(digest) = &entry.purpose {
            self.remove_empty_directory(digest);
        }
        Ok(if is_removed {
            Outcome::Removed
        } else {
            Outcome::Kept
        })
    }
}

#[cfg(test)]
#[path = "tests/prune.rs"]
mod tests;
