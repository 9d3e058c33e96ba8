//! An archive in the cache.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use crate::archive::{Limits, VerifiedClaims, is_compressed, read_claims};
use crate::cache::{self, Held};
use crate::content::{ErrorKind, StoreError, open_regular};
use crate::oci::{Artifact, Reference};

use super::super::error::Error;

/// An archive whose manifest and layers are in the cache. Only their digests are verified.
#[derive(Clone)]
pub(in crate::client) struct CachedArchive {
    pub(in crate::client) artifact: Artifact,
    /// Whether all layers were downloaded, and hashed, by this lookup.
    pub(in crate::client) is_new: bool,
    pub(super) layers: Arc<[Held]>,
}

impl CachedArchive {
    /// Opens the bytes of the archive: its layers, joined in the order of the manifest.
    pub(in crate::client) fn open(&self) -> Result<Box<dyn Read + Send>, Error> {
        let mut reader: Box<dyn Read + Send> = Box::new(io::empty());
        for file in self.files() {
            reader = Box::new(reader.chain(file?));
        }
        Ok(reader)
    }

    /// Opens the file of the archive. `None` when the archive is in several layers.
    pub(in crate::client) fn only_file(&self) -> Result<Option<File>, Error> {
        let mut files = self.files();
        match (files.next(), files.next()) {
            (Some(file), None) => file.map(Some),
            _ => Ok(None),
        }
    }

    /// Returns whether the archive is compressed, according to its first bytes.
    pub(in crate::client) fn is_compressed(&self) -> Result<bool, Error> {
        let mut start = Vec::new();
        let read = self.open()?.take(2).read_to_end(&mut start);
        read.map_err(|error| StoreError::new(ErrorKind::of_io(&error), error))?;
        Ok(is_compressed(&start))
    }

    /// Returns the claims of the archive of `reference`, verified. Nothing else in the archive is verified.
    pub(in crate::client) fn claims(
        &self,
        reference: &Reference,
        limits: &Limits,
    ) -> Result<VerifiedClaims, Error> {
        read_claims(self.open()?, limits).map_err(Error::unusable(reference))
    }

    /// Opens the files of the layers, in the order of the manifest.
    pub(in crate::client) fn files(&self) -> impl Iterator<Item = Result<File, Error>> {
        self.layers
            .iter()
            .map(Held::path)
            .map(|path| Ok(open_regular(path).map_err(cache::Error::file(path))?.0))
    }

    pub(in crate::client) fn size(&self) -> u64 {
        self.artifact.size()
    }
}
