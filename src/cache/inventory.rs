//! All files of the cache, and how they belong together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
#[cfg(feature = "cli")]
use std::fs::File;
use std::time::SystemTime;

use crate::content::Digest;
#[cfg(feature = "cli")]
use crate::content::open_regular;

use super::entries::{Entries, Entry, Obstruction};
use super::error::Error;
#[cfg(feature = "cli")]
use super::last_use::LastUse;
use super::open::Cache;
use super::paths::{Kind, Purpose};
use super::providers::Provider;
use super::references::Record;

/// The files of the cache, and the records about them.
pub(super) struct Inventory {
    /// The files, ordered by their last use, the least recently used first.
    pub(super) entries: Vec<Entry>,
    /// The records of tags, by `registry/repository:tag`.
    pub(super) tags: BTreeMap<String, Record>,
    /// The tags for whose archives the first bytes are kept.
    pub(super) heads: BTreeSet<String>,
    /// The descriptions of the providers, by their manifests. The manifests themselves may not be cached.
    pub(super) providers: BTreeMap<Digest, Provider>,
    /// What is in the place of files and directories.
    pub(super) obstructions: Vec<Obstruction>,
    /// Why files and directories could not be read. Files without a readable record are in `entries` nevertheless.
    pub(super) failures: Vec<Error>,
    /// The positions of content in `entries`.
    content: HashMap<(Kind, Digest), usize>,
}

impl Inventory {
    /// Lists the files of the cache. Fails if a file or a directory cannot be read. This does not count as a use of any
    /// file.
    pub(super) fn of(cache: &Cache) -> Result<Self, Error> {
        let mut inventory = Self::of_readable(cache)?;
        if inventory.failures.is_empty() {
            return Ok(inventory);
        }
        Err(inventory.failures.swap_remove(0))
    }

    /// Lists the files of the cache that can be read, and keeps the errors of the others. Fails if the directory of the
    /// cache cannot be read. This does not count as a use of any file.
    pub(super) fn of_readable(cache: &Cache) -> Result<Self, Error> {
        let Entries {
            files: mut entries,
            obstructions,
            failures,
        } = cache.entries()?;
        entries.sort_by_key(|entry| entry.used);
        let mut inventory = Self {
            entries: Vec::new(),
            tags: BTreeMap::new(),
            heads: BTreeSet::new(),
            providers: BTreeMap::new(),
            obstructions,
            failures,
            content: HashMap::new(),
        };
        for (index, entry) in entries.iter_mut().enumerate() {
            match &entry.purpose {
                Purpose::Content(kind, digest) => {
                    inventory.content.insert((*kind, digest.clone()), index);
                }
                Purpose::Reference(name) => match cache.listed(name) {
                    Ok((tag, record)) => {
                        inventory.tags.insert(tag.clone(), record);
                        // The name of the file may differ in case.
                        entry.purpose = Purpose::Reference(tag);
                    }
                    Err(Error::NoReference(_)) => {}
                    Err(error) => inventory.failures.push(error),
                },
                Purpose::Head(name) => drop(inventory.heads.insert(name.clone())),
                Purpose::Provider(manifest) => match cache.described(manifest) {
                    Ok(Some(provider)) => {
                        inventory.providers.insert(manifest.clone(), provider);
                    }
                    Ok(None) => {}
                    Err(error) => inventory.failures.push(error),
                },
                Purpose::Program(_)
                | Purpose::Bundle(_)
                | Purpose::Hint
                | Purpose::Unfinished
                | Purpose::Temporary => {}
            }
        }
        inventory.entries = entries;
        Ok(inventory)
    }

    pub(super) fn find(&self, kind: Kind, digest: &Digest) -> Option<&Entry> {
        let index = self.content.get(&(kind, digest.clone()))?;
        self.entries.get(*index)
    }

    pub(super) fn has_blob(&self, digest: &Digest) -> bool {
        self.find(Kind::Blob, digest).is_some()
    }

    pub(super) fn has_executable(&self, digest: &Digest) -> bool {
        self.find(Kind::Executable, digest).is_some()
    }

    /// Returns when the blob of `digest` was last used.
    pub(super) fn used(&self, digest: &Digest) -> Option<SystemTime> {
        Some(self.find(Kind::Blob, digest)?.used)
    }

    /// Whether the whole archive of a provider is cached.
    pub(super) fn has_archive(&self, provider: &Provider) -> bool {
        !provider.layers.is_empty() && provider.layers.iter().all(|layer| self.has_blob(layer))
    }

    /// Returns the tags that lead to the provider in `manifest`, directly or through an image index.
    pub(super) fn tags_of<'a>(
        &'a self,
        manifest: &'a Digest,
        provider: &'a Provider,
    ) -> impl Iterator<Item = (&'a String, &'a Record)> {
        self.tags.iter().filter(move |(_, record)| {
            let named = &record.descriptor.digest;
            named == manifest || provider.indexes.contains(named) && self.has_blob(named)
        })
    }
}

#[cfg(feature = "cli")]
impl Cache {
    /// Returns the blobs that have no description and may be manifests of providers. Leaves out blobs that cannot be
    /// read. Blocks.
    pub(crate) fn undescribed(&self) -> Result<Vec<Digest>, Error> {
        let inventory = Inventory::of_readable(self)?;
        let entries = inventory.entries.iter();
        let blobs = entries.filter_map(|entry| match &entry.purpose {
            Purpose::Content(Kind::Blob, digest)
                if !inventory.providers.contains_key(digest) && entry.may_be_manifest() =>
            {
                Some(digest.clone())
            }
            _ => None,
        });
        Ok(blobs.collect())
    }

    /// Reads from the blob of `digest`, if it is cached. This does not count as a use. Blocks.
    pub(crate) fn peek<T>(&self, digest: &Digest, read: impl FnOnce(&File) -> T) -> Option<T> {
        let path = self.paths.content(Kind::Blob, digest);
        let (file, _) = open_regular(&path).ok()?;
        let last_use = LastUse::of(&file).ok()?;
        let read = read(&file);
        last_use.restore(&file, &path);
        Some(read)
    }
}
