//! Listing the content of the cache.

use std::time::SystemTime;

use crate::content::Digest;

use super::error::Error;
use super::open::Cache;
use super::paths::{Kind, Purpose};

/// The content of a cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// The tags that the cache knows, ordered by name.
    pub references: Vec<Listed>,
    /// How many manifests and layers there are.
    pub blobs: Usage,
    /// How many verified executables there are.
    pub executables: Usage,
    /// How many downloads there are that were interrupted or are under way.
    pub unfinished: Usage,
}

/// A tag that the cache knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The reference: `registry/repository:tag` or `oci-layout://DIRECTORY:tag`.
    pub reference: String,
    /// The digest of the manifest that the tag stood for.
    pub digest: Digest,
    /// How many bytes of content the manifest names, if that is known. Not all of it need be cached.
    pub size: Option<u64>,
    /// When the registry last confirmed the tag.
    pub confirmed: SystemTime,
    /// When the manifest was last used. `None` when it is not cached.
    pub used: Option<SystemTime>,
}

/// A number of files and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The number of files.
    pub files: usize,
    /// The size of all files in bytes.
    pub bytes: u64,
}

impl Usage {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

impl Cache {
    /// Lists the content of the cache without checking it. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when a file or a directory cannot be read.
    pub fn list(&self) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        for entry in self.entries()? {
            match entry.purpose {
                Purpose::Content(Kind::Blob, _) => listing.blobs.add(entry.size),
                Purpose::Content(Kind::Executable, _) => listing.executables.add(entry.size),
                Purpose::Unfinished | Purpose::Temporary => listing.unfinished.add(entry.size),
                Purpose::Hint => {}
                Purpose::Reference(name) => match self.listed(&name) {
                    Ok(record) => listing.references.push(Listed {
                        reference: record.reference(name),
                        size: record.content,
                        confirmed: record.confirmed,
                        used: self.last_use(&record.descriptor.digest)?,
                        digest: record.descriptor.digest,
                    }),
                    Err(Error::NoReference(_)) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        let references = &mut listing.references;
        references.sort_by(|one, other| one.reference.cmp(&other.reference));
        Ok(listing)
    }
}
