//! From a reference to the archive behind it, in the cache.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;

use crate::archive::{Limits, VerifiedClaims, is_compressed, read_claims};
use crate::cache::{self, Held};
use crate::content::{
    Content, Descriptor, Digest, ErrorKind, ReadStorage, StoreError, open_regular,
};
use crate::oci::{Artifact, MANIFEST_LIMIT, Reference, choose_from_index, media_type};

use super::confirmed::Confirmed;
use super::error::Error;
use super::metered::MeteredSource;
use super::resolve::PullPolicy;
use super::{Client, blocking, note_digest};

/// The manifest that a reference stands for.
pub(super) struct Found {
    pub(super) artifact: Artifact,
    /// What is to be recorded once it has served its purpose.
    pub(super) confirmed: Option<Confirmed>,
}

/// An archive whose manifest and layers are in the cache. Nothing is verified yet but their digests.
#[derive(Clone)]
pub(super) struct Cached {
    pub(super) artifact: Artifact,
    pub(super) confirmed: Option<Confirmed>,
    /// Whether all of it was received just now, and hashed on its way.
    pub(super) is_new: bool,
    layers: Arc<[Held]>,
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
            .map(Held::path)
            .map(|path| Ok(open_regular(path).map_err(cache::Error::file(path))?.0))
    }

    /// The size of the archive in bytes.
    pub(super) fn size(&self) -> u64 {
        self.artifact.size()
    }
}

impl Client {
    /// Brings the archive that `reference` stands for into the cache. What is there already is not
    /// downloaded again.
    pub(super) async fn cached(&self, reference: &Reference) -> Result<Cached, Error> {
        let store = self.read_storage(reference).await?;
        let found = self.find(store.as_ref(), reference).await?;
        self.whole(store.as_ref(), found, reference).await
    }

    /// Brings the layers of an archive into the cache.
    pub(super) async fn whole(
        &self,
        store: &dyn ReadStorage,
        Found {
            artifact,
            confirmed,
        }: Found,
        reference: &Reference,
    ) -> Result<Cached, Error> {
        let mut layers = Vec::with_capacity(artifact.layers().len());
        let mut is_new = true;
        for layer in artifact.layers() {
            let brought = self.brought(store, layer, reference, "downloading");
            let (held, received) = brought.await?;
            is_new &= received;
            layers.push(held);
        }
        Ok(Cached {
            artifact,
            confirmed,
            is_new,
            layers: layers.into(),
        })
    }

    /// The manifest that `reference` stands for, by the pull policy.
    pub(super) async fn find(
        &self,
        store: &dyn ReadStorage,
        reference: &Reference,
    ) -> Result<Found, Error> {
        let resolved = self.stands_for(store, reference).await?;
        let descriptor = resolved.descriptor;
        let mut manifest = self.manifest(store, &descriptor, reference).await?;
        let mut chosen = descriptor.clone();
        if media_type::is_index(&descriptor.media_type) {
            let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
            chosen = choose_from_index(&manifest, os, architecture)?;
            manifest = self.manifest(store, &chosen, reference).await?;
        }
        let artifact = Artifact::parse(chosen, manifest, &reference.to_string())?;
        note_digest(&artifact.descriptor().digest);
        let confirmed = match resolved.confirmed {
            Some(at) => {
                self.confirmed(reference, &descriptor, &artifact, at)
                    .await?
            }
            None => None,
        };
        Ok(Found {
            artifact,
            confirmed,
        })
    }

    async fn manifest(
        &self,
        store: &dyn ReadStorage,
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
        let (held, _) = self.brought(store, descriptor, reference, "").await?;
        manifest_in(held).await
    }

    /// Content in the cache, received if it was not there, and whether it was. `label` names what takes long,
    /// if it does.
    async fn brought(
        &self,
        store: &dyn ReadStorage,
        descriptor: &Descriptor,
        reference: &Reference,
        label: &str,
    ) -> Result<(Held, bool), Error> {
        if let Some(held) = self.held(&descriptor.digest).await? {
            return Ok((held, false));
        }
        if self.pull == PullPolicy::Never {
            return Err(Error::NotCached(reference.to_string()));
        }
        let content = Content::new(store, descriptor);
        let held = match label {
            "" => self.cache()?.receive(descriptor, &content).await?,
            label => {
                let progress = self.progress.as_ref();
                let content = MeteredSource::new(&content, descriptor, label, progress);
                self.cache()?.receive(descriptor, &content).await?
            }
        };
        Ok((held, true))
    }

    /// Content of the cache.
    pub(super) async fn held(&self, digest: &Digest) -> Result<Option<Held>, Error> {
        Ok(self.cache()?.hold_async(digest).await?)
    }
}

/// The bytes of a manifest in the cache.
pub(super) async fn manifest_in(held: Held) -> Result<Bytes, Error> {
    blocking(move || {
        let mut bytes = Vec::new();
        let path = held.path();
        let read = open_regular(path)
            .and_then(|(file, _)| file.take(MANIFEST_LIMIT + 1).read_to_end(&mut bytes));
        read.map_err(cache::Error::file(path))?;
        Ok(bytes.into())
    })
    .await
}
