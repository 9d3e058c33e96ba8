//! From a reference to the archive behind it, in the cache.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::archive::{Limits, VerifiedClaims, is_compressed, read_claims};
use crate::cache;
use crate::content::{Descriptor, Digest, ErrorKind, Store, StoreError, open_regular};
use crate::oci::{Artifact, MANIFEST_LIMIT, Reference, choose_from_index, media_type};

use super::copy::{Content, copy};
use super::error::Error;
use super::{Access, Client, record_name};

/// An archive whose manifest and layers are in the cache. Nothing is verified yet but their digests.
#[derive(Clone)]
pub(super) struct Cached {
    pub(super) artifact: Artifact,
    layers: Vec<PathBuf>,
}

impl Cached {
    /// The bytes of the archive: its layers, joined in the order of the manifest.
    pub(super) fn open(&self) -> Result<Box<dyn Read + Send>, Error> {
        let mut reader: Box<dyn Read + Send> = Box::new(io::empty());
        for file in self.files() {
            reader = Box::new(reader.chain(file?));
        }
        Ok(reader)
    }

    /// The file of the archive, unless it is in several layers.
    pub(super) fn only_file(&self) -> Result<Option<File>, Error> {
        let mut files = self.files();
        match (files.next(), files.next()) {
            (Some(file), None) => file.map(Some),
            _ => Ok(None),
        }
    }

    /// Whether the archive is compressed, as its first bytes say.
    pub(super) fn is_compressed(&self) -> Result<bool, Error> {
        let mut start = Vec::new();
        let read = self.open()?.take(2).read_to_end(&mut start);
        read.map_err(|error| StoreError::new(ErrorKind::of_io(&error), error))?;
        Ok(is_compressed(&start))
    }

    /// The claims of the archive, verified; nothing else of it is.
    pub(super) fn claims(&self, name: &str, limits: &Limits) -> Result<VerifiedClaims, Error> {
        read_claims(self.open()?, limits).map_err(|source| Error::unusable(name, source))
    }

    /// The files of the layers, in the order of the manifest.
    pub(super) fn files(&self) -> impl Iterator<Item = Result<File, Error>> {
        self.layers
            .iter()
            .map(|layer| Ok(open_regular(layer).map_err(cache::Error::file(layer))?.0))
    }

    /// The size of the archive in bytes.
    pub(super) fn size(&self) -> u64 {
        let layers = self.artifact.layers();
        layers.iter().map(|layer| layer.size).sum()
    }
}

impl Client {
    /// Brings the archive that `reference` stands for into the cache. What is there already is not
    /// downloaded again.
    pub(super) async fn cached(&self, reference: &Reference) -> Result<Cached, Error> {
        let store = self.store(reference, Access::Read)?;
        let artifact = self.artifact(store.as_ref(), reference).await?;
        self.whole(store.as_ref(), artifact).await
    }

    /// Brings the layers of an archive into the cache.
    pub(super) async fn whole(
        &self,
        store: &dyn Store,
        artifact: Artifact,
    ) -> Result<Cached, Error> {
        let mut layers = Vec::with_capacity(artifact.layers().len());
        for layer in artifact.layers() {
            let source = Content {
                store,
                descriptor: layer,
            };
            if self.cache.blob(&layer.digest).is_none() {
                let progress = self.progress.as_ref();
                copy(&source, &self.cache, layer, "downloading", progress).await?;
            }
            layers.push(self.blob(layer)?);
        }
        Ok(Cached { artifact, layers })
    }

    /// The manifest that `reference` stands for now. A tag is always asked for: it may have moved.
    pub(super) async fn artifact(
        &self,
        store: &dyn Store,
        reference: &Reference,
    ) -> Result<Artifact, Error> {
        let name = reference
            .name()
            .ok_or_else(|| Error::Unnamed(reference.to_string()))?;
        let descriptor = match reference.digest().and_then(|digest| self.known(digest)) {
            Some(descriptor) => descriptor,
            None => store.resolve(&name).await?,
        };
        let mut manifest = self.manifest(store, &descriptor, reference).await?;
        let mut chosen = descriptor.clone();
        if media_type::is_index(&descriptor.media_type) {
            let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
            chosen = choose_from_index(&manifest, os, architecture)?;
            manifest = self.manifest(store, &chosen, reference).await?;
        }
        let artifact = Artifact::parse(chosen, manifest, &reference.to_string())?;
        if let Some(name) = record_name(reference).filter(|_| reference.digest().is_none()) {
            self.note_move(&name, &descriptor);
            self.cache.record(&name, &descriptor)?;
        }
        Ok(artifact)
    }

    async fn manifest(
        &self,
        store: &dyn Store,
        descriptor: &Descriptor,
        reference: &Reference,
    ) -> Result<Bytes, Error> {
        if descriptor.size > MANIFEST_LIMIT {
            return Err(Error::ManifestTooLarge {
                reference: reference.to_string(),
                size: descriptor.size,
                limit: MANIFEST_LIMIT,
            });
        }
        self.cache
            .put(descriptor, &Content { store, descriptor })
            .await?;
        let path = self.blob(descriptor)?;
        Ok(read_manifest(&path).map_err(cache::Error::file(&path))?)
    }

    /// The descriptor of a manifest that the cache holds. A digest never moves, so nobody is asked.
    fn known(&self, digest: &Digest) -> Option<Descriptor> {
        let bytes = read_manifest(&self.cache.blob(digest)?).ok()?;
        Some(Descriptor {
            media_type: media_type::of_manifest(&bytes)?,
            digest: digest.clone(),
            size: bytes.len() as u64,
        })
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<PathBuf, Error> {
        self.cache
            .blob(&descriptor.digest)
            .ok_or_else(|| cache::Error::NoContent(descriptor.digest.clone()).into())
    }

    fn note_move(&self, name: &str, descriptor: &Descriptor) {
        if let Ok(record) = self.cache.recorded(name)
            && record.descriptor.digest != descriptor.digest
        {
            let (from, to) = (&record.descriptor.digest, &descriptor.digest);
            tracing::warn!(%name, %from, %to, "the tag has moved");
        }
    }
}

fn read_manifest(path: &Path) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    let (file, _) = open_regular(path)?;
    file.take(MANIFEST_LIMIT + 1).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}
