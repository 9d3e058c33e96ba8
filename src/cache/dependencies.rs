//! The dependencies between the files of the cache. While the cache is pruned, a file stays if a file that stays needs
//! it.

use std::collections::{BTreeMap, BTreeSet};

use crate::content::Digest;

use super::inventory::Inventory;
use super::paths::{Kind, Purpose};
use super::providers::{ClaimsIn, Provider};

/// The content of the cache while it is pruned, with the dependencies between its files.
pub(super) struct Dependencies<'a> {
    inventory: &'a Inventory,
    /// The content that the caller keeps: manifests and indexes, and everything that belongs to them.
    kept: BTreeSet<Digest>,
    /// Executables that are leased or in use.
    held: BTreeSet<Digest>,
    blobs: BTreeSet<Digest>,
    executables: BTreeSet<Digest>,
    /// The manifests of each executable.
    manifests: BTreeMap<&'a Digest, Vec<&'a Digest>>,
    /// Manifests, image indexes, and blobs without a description that may be one of these.
    small: BTreeSet<Digest>,
    /// The layers of archives, each with the manifests of these archives.
    layers: BTreeMap<&'a Digest, Vec<&'a Digest>>,
}

impl<'a> Dependencies<'a> {
    pub(super) fn new(inventory: &'a Inventory, keep: &[Digest]) -> Self {
        let mut dependencies = Self {
            inventory,
            kept: keep.iter().cloned().collect(),
            held: BTreeSet::new(),
            blobs: BTreeSet::new(),
            executables: BTreeSet::new(),
            manifests: BTreeMap::new(),
            small: BTreeSet::new(),
            layers: BTreeMap::new(),
        };
        for entry in &inventory.entries {
            match &entry.purpose {
                Purpose::Content(Kind::Blob, digest) => {
                    dependencies.blobs.insert(digest.clone());
                    if entry.may_be_manifest() {
                        dependencies.small.insert(digest.clone());
                    }
                }
                Purpose::Content(Kind::Executable, digest) => {
                    dependencies.executables.insert(digest.clone());
                }
                _ => {}
            }
        }
        for (manifest, provider) in &inventory.providers {
            for executable in provider.executables.values() {
                dependencies
                    .manifests
                    .entry(executable)
                    .or_default()
                    .push(manifest);
            }
            for layer in &provider.layers {
                dependencies.small.remove(layer);
                dependencies.layers.entry(layer).or_default().push(manifest);
            }
            if keep.contains(manifest) || provider.indexes.iter().any(|index| keep.contains(index))
            {
                dependencies.keep(manifest, provider);
            }
        }
        dependencies
    }

    fn keep(&mut self, manifest: &Digest, provider: &Provider) {
        let indexes = provider.indexes.iter();
        let all = indexes
            .chain(&provider.layers)
            .chain(provider.executables.values());
        self.kept.extend(all.chain([manifest]).cloned());
    }

    /// Whether a blob is an archive that can be removed before anything else, because its executables are cached and
    /// can be started without it.
    pub(super) fn is_spare(&self, blob: &Digest) -> bool {
        if self.small.contains(blob) {
            return false;
        }
        let Some(manifests) = self.layers.get(blob) else {
            // No description names the blob.
            return true;
        };
        let is_spare = |manifest: &&Digest| {
            self.inventory
                .providers
                .get(*manifest)
                .is_none_or(|provider| {
                    let mut executables = provider.executables.values();
                    provider.claims != ClaimsIn::Archive
                        && executables.any(|executable| self.executables.contains(executable))
                })
        };
        manifests.iter().all(is_spare)
    }

    /// Whether a blob is an archive from which a provider is started.
    pub(super) fn is_needed(&self, blob: &Digest) -> bool {
        !self.is_manifest(blob) && !self.is_spare(blob)
    }

    /// Whether a blob is a manifest or an image index, or may be one.
    pub(super) fn is_manifest(&self, blob: &Digest) -> bool {
        self.small.contains(blob)
    }

    /// Records that an executable stays because it is leased or in use.
    pub(super) fn hold(&mut self, executable: &Digest) {
        self.held.insert(executable.clone());
    }

    /// Whether this content was already removed. A dry run only records the removal.
    pub(super) fn is_gone(&self, purpose: &Purpose) -> bool {
        match purpose {
            Purpose::Content(Kind::Blob, digest) => !self.blobs.contains(digest),
            Purpose::Content(Kind::Executable, digest) => !self.executables.contains(digest),
            _ => false,
        }
    }

    /// Records that a file was removed.
    pub(super) fn removed(&mut self, purpose: &Purpose) {
        match purpose {
            Purpose::Content(Kind::Blob, digest) => drop(self.blobs.remove(digest)),
            Purpose::Content(Kind::Executable, digest) => drop(self.executables.remove(digest)),
            _ => {}
        }
    }

    /// Returns the layers of the archives with an executable.
    pub(super) fn layers_of(&self, executable: &Digest) -> Vec<Digest> {
        let manifests = self.manifests.get(executable).into_iter().flatten();
        let providers = manifests.filter_map(|manifest| self.inventory.providers.get(*manifest));
        providers
            .flat_map(|provider| &provider.layers)
            .cloned()
            .collect()
    }

    /// Returns the manifests of an executable, and then their image indexes.
    pub(super) fn manifests_of(&self, executable: &Digest) -> Vec<Digest> {
        let manifests = self.manifests.get(executable).into_iter().flatten();
        let manifests: Vec<&Digest> = manifests.copied().collect();
        let providers = manifests.iter();
        let providers = providers.filter_map(|manifest| self.inventory.providers.get(*manifest));
        let indexes = providers.flat_map(|provider| &provider.indexes);
        manifests.iter().copied().chain(indexes).cloned().collect()
    }

    /// Whether a file stays because the caller keeps it or another file needs it. With `all`, a manifest does not stay
    /// for the sake of an archive.
    pub(super) fn must_stay(&self, purpose: &Purpose, all: bool) -> bool {
        match purpose {
            Purpose::Content(Kind::Executable, digest) => self.kept.contains(digest),
            Purpose::Content(Kind::Blob, digest) => {
                self.kept.contains(digest)
                    || self.is_manifest(digest) && self.must_manifest_stay(digest, all)
                    || self.is_only_source_of_claims(digest)
            }
            Purpose::Reference(name) | Purpose::Head(name) => {
                let record = self.inventory.tags.get(name);
                record.is_some_and(|record| self.must_tag_stay(&record.descriptor.digest))
            }
            Purpose::Provider(manifest) | Purpose::Bundle(manifest) => {
                self.blobs.contains(manifest)
            }
            Purpose::Program(_) | Purpose::Hint | Purpose::Unfinished | Purpose::Temporary => false,
        }
    }

    fn must_manifest_stay(&self, digest: &Digest, all: bool) -> bool {
        let providers = &self.inventory.providers;
        let is_index_of = |(manifest, provider): (&Digest, &Provider)| {
            provider.indexes.contains(digest) && self.blobs.contains(manifest)
        };
        if providers.iter().any(is_index_of) {
            return true;
        }
        match providers.get(digest) {
            Some(provider) => {
                let mut executables = provider.executables.values();
                let mut layers = provider.layers.iter();
                executables.any(|executable| self.executables.contains(executable))
                    || !all && layers.any(|layer| self.blobs.contains(layer))
            }
            // Without a description, it may be the manifest of any executable that no description names.
            None => {
                let mut executables = self.executables.iter();
                let is_index = providers
                    .values()
                    .any(|known| known.indexes.contains(digest));
                !is_index && executables.any(|executable| !self.manifests.contains_key(executable))
            }
        }
    }

    /// Whether a blob is the archive of a cached executable, and only this archive has the claims without which the
    /// executable cannot be started.
    fn is_only_source_of_claims(&self, blob: &Digest) -> bool {
        let manifests = self.layers.get(blob).into_iter().flatten();
        let mut providers =
            manifests.filter_map(|manifest| self.inventory.providers.get(*manifest));
        providers.any(|provider| {
            let mut executables = provider.executables.values();
            provider.claims == ClaimsIn::Archive
                && executables.any(|executable| self.executables.contains(executable))
        })
    }

    /// Whether a tag that names the manifest or the image index `named` stays.
    fn must_tag_stay(&self, named: &Digest) -> bool {
        let is_held = |(manifest, provider): (&Digest, &Provider)| {
            let mut executables = provider.executables.values();
            (manifest == named || provider.indexes.contains(named))
                && executables.any(|executable| self.held.contains(executable))
        };
        self.kept.contains(named) || self.inventory.providers.iter().any(is_held)
    }
}
