//! Finding the provider of an executable of the cache.

use std::path::{Path, PathBuf, absolute};

use crate::content::Digest;

use super::error::Error;
use super::inventory::Inventory;
use super::open::Cache;
use super::paths::{Kind, Purpose};
use super::startable::{Startable, rows_of};

/// An executable of the cache, and the providers that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedExecutable {
    /// The digest of the executable, as in the signed claims.
    pub executable: Digest,
    /// Whether the executable is still in the cache. A process keeps running when its executable is pruned.
    pub cached: bool,
    /// The providers with this executable, once for each reference that leads to them. Only the targets of this
    /// executable are listed. Empty when the cache knows no provider with it.
    pub providers: Vec<Startable>,
}

impl Cache {
    /// Returns the providers of the executable at `path`, which a fetch has returned. The executable may have been
    /// pruned since then. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::NotAnExecutable`] for any other path; [`Error::NoExecutable`] when the executable is not cached and no
    /// description names it; [`Error::File`].
    pub fn which(&self, path: &Path) -> Result<CachedExecutable, Error> {
        let executable = self.executable_at(path);
        let executable = executable.ok_or_else(|| Error::NotAnExecutable(path.to_owned()))?;
        if path.exists() && self.names_another_file(&executable, path)? {
            return Err(Error::NotAnExecutable(path.to_owned()));
        }
        let inventory = Inventory::of(self)?;
        let mut providers = Vec::new();
        for (manifest, provider) in &inventory.providers {
            let executables = provider.executables.iter();
            let targets: Vec<&String> = executables
                .filter(|(_, digest)| **digest == executable)
                .map(|(target, _)| target)
                .collect();
            if targets.is_empty() {
                continue;
            }
            for mut row in rows_of(self, &inventory, manifest, provider)? {
                let started = std::mem::take(&mut row.targets);
                let paths = targets.iter().map(|target| {
                    let path = started.get(*target).cloned().flatten();
                    ((*target).clone(), path)
                });
                row.targets = paths.collect();
                providers.push(row);
            }
        }
        let cached = inventory.has_executable(&executable);
        if !cached && providers.is_empty() {
            return Err(Error::NoExecutable(path.to_owned()));
        }
        providers.sort_by(|one, other| one.reference.cmp(&other.reference));
        Ok(CachedExecutable {
            executable,
            cached,
            providers,
        })
    }

    /// Returns the digest of the executable to which a path in this cache leads.
    fn executable_at(&self, path: &Path) -> Option<Digest> {
        let written = absolute(path).ok();
        let real = real(path);
        let root = self.paths.root();
        let roots = [Some(root.to_owned()), root.canonicalize().ok()];
        let candidates = written.iter().chain(&real).flat_map(|path| {
            let roots = roots.iter().flatten();
            roots.filter_map(move |other| path.strip_prefix(other).ok())
        });
        let mut digests =
            candidates.filter_map(|relative| match self.paths.purpose(&root.join(relative)) {
                Some(Purpose::Content(Kind::Executable, digest) | Purpose::Program(digest)) => {
                    Some(digest)
                }
                _ => None,
            });
        digests.next()
    }
}

/// Returns `path` with its symbolic links resolved. The file may not exist.
fn real(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().or_else(|| {
        let directory = path.parent()?.canonicalize().ok()?;
        Some(directory.join(path.file_name()?))
    })
}
