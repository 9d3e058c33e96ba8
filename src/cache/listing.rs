//! What there is to know about the cache at a glance.

use std::time::SystemTime;

use crate::content::Digest;

use super::Cache;
use super::content::Kind;
use super::error::Error;
use super::paths::Place;

/// What is in the cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The tags that something is known of, by name.
    pub references: Vec<Listed>,
    /// Manifests and layers.
    pub blobs: Usage,
    /// Verified executables.
    pub executables: Usage,
    /// Downloads that were interrupted, or that are under way.
    pub unfinished: Usage,
}

/// A tag that the cache knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// `registry/repository:tag`, or `oci-layout://FOLDER:tag`.
    pub reference: String,
    /// The digest of the manifest that it stood for.
    pub digest: Digest,
    /// How many bytes of content the manifest names; not all of it need be in the cache.
    pub size: Option<u64>,
    /// When the registry last confirmed it.
    pub confirmed: SystemTime,
    /// When the manifest was last used; `None` when it is not in the cache.
    pub used: Option<SystemTime>,
}

/// How much there is of something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many files.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

impl Usage {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

impl Cache {
    /// Lists what is in the cache, without checking it.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when something cannot be read.
    pub fn list(&self) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        for entry in self.entries()? {
            match entry.place {
                Place::Content(Kind::Blob, _) => listing.blobs.add(entry.size),
                Place::Content(Kind::Executable, _) => listing.executables.add(entry.size),
                Place::Unfinished | Place::Temporary => listing.unfinished.add(entry.size),
                Place::Memory => {}
                Place::Reference(name) => match self.listed(&name) {
                    Ok(record) => listing.references.push(Listed {
                        reference: record.reference(name),
                        size: record.content,
                        confirmed: record.confirmed_at(),
                        used: self.last_use(&record.descriptor.digest)?,
                        digest: record.descriptor.digest,
                    }),
                    Err(Error::NoReference(_)) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        listing
            .references
            .sort_by(|one, other| one.reference.cmp(&other.reference));
        Ok(listing)
    }
}
