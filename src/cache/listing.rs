//! Listing the content of the cache.

use std::time::SystemTime;

use crate::content::Digest;

use super::error::Error;
use super::inventory::Inventory;
use super::open::Cache;
use super::paths::{Kind, Purpose};
use super::startable::{Startable, startable};

/// The content of a cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// The providers that can be started from the cache, ordered by reference.
    pub startable: Vec<Startable>,
    /// The tags whose manifests are cached, ordered by name.
    pub references: Vec<Listed>,
    /// The manifests and layers.
    pub blobs: Usage,
    /// The verified executables.
    pub executables: Usage,
    /// The downloads that were interrupted or are in progress.
    pub unfinished: Usage,
    /// All other files: the records of tags, providers and registries.
    pub records: Usage,
}

/// A tag that the cache knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The reference: `registry/repository:tag` or `oci-layout://DIRECTORY:tag`.
    pub reference: String,
    /// The digest of the manifest that the tag named.
    pub digest: Digest,
    /// The size of the content that the manifest names, in bytes, if it is known. The content may be cached only in
    /// part.
    pub size: Option<u64>,
    /// When the registry last confirmed the tag.
    pub confirmed: SystemTime,
    /// When the manifest was last used.
    pub used: Option<SystemTime>,
}

/// A number of files and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The number of files.
    pub files: usize,
    /// How many bytes all files take on this disk.
    pub bytes: u64,
}

impl Usage {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

impl Listing {
    /// Returns how many bytes the cache takes on this disk. Pins are not counted.
    #[must_use]
    pub fn size(&self) -> u64 {
        let usages = [self.blobs, self.executables, self.unfinished, self.records];
        usages.iter().map(|usage| usage.bytes).sum()
    }
}

impl Cache {
    /// Lists the content of the cache without verifying it. Leaves out tags whose manifests were pruned. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when a file or a directory cannot be read.
    pub fn list(&self) -> Result<Listing, Error> {
        let inventory = Inventory::of(self)?;
        let mut listing = Listing {
            startable: startable(self, &inventory)?,
            ..Listing::default()
        };
        for entry in &inventory.entries {
            let usage = match &entry.purpose {
                Purpose::Content(Kind::Blob, _) => &mut listing.blobs,
                Purpose::Content(Kind::Executable, _) => &mut listing.executables,
                // A readable name takes no space, unless its executable was pruned.
                Purpose::Program(_) if entry.disk == 0 => continue,
                Purpose::Program(_) | Purpose::Unfinished | Purpose::Temporary => {
                    &mut listing.unfinished
                }
                Purpose::Reference(_)
                | Purpose::Provider(_)
                | Purpose::Head(_)
                | Purpose::Bundle(_)
                | Purpose::Hint => &mut listing.records,
            };
            usage.add(entry.disk);
        }
        for (name, record) in &inventory.tags {
            let digest = &record.descriptor.digest;
            if let Some(used) = inventory.used(digest) {
                listing.references.push(Listed {
                    reference: record.reference(name.clone()),
                    digest: digest.clone(),
                    size: record.content,
                    confirmed: record.confirmed,
                    used: Some(used),
                });
            }
        }
        let references = &mut listing.references;
        references.sort_by(|one, other| one.reference.cmp(&other.reference));
        Ok(listing)
    }
}
