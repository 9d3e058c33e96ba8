//! What can be known of an archive that is not in the cache, without downloading it.

use std::ops::Range;

use tokio::io::AsyncReadExt;

use crate::archive::{self, Index, VerifiedClaims, read_head};
use crate::content::{Descriptor, Digest, ErrorKind, ReadStorage, Reader, StoreError};
use crate::oci::{Artifact, Reference};

use super::confirmed::Head;
use super::error::Error;
use super::resolve::PullPolicy;
use super::{Client, annotations, blocking, record_name};

/// How many bytes of an archive's start are asked for. With its manifest that stays below 64 KiB, and
/// an index that is longer would be that of more than 20 GB.
const HEAD: u64 = 48 * 1024;

/// What is known of an archive.
pub(super) struct Remote {
    /// Who published it, and the hashes of what it holds.
    pub(super) claims: VerifiedClaims,
    /// Where its entries are: a hint.
    pub(super) index: Option<Index>,
    /// The archive.
    pub(super) layer: Descriptor,
    /// How many bytes of it were downloaded to know that.
    pub(super) downloaded: u64,
    /// What was downloaded, for the next time.
    pub(super) head: Option<Head>,
}

impl Client {
    /// What the manifest says, or else the start of the archive. `None` when neither can be relied on,
    /// so that the whole archive has to be read.
    ///
    /// The annotations of the manifest are bound by its digest. Of the start of an archive nothing is
    /// known but who served it: the digest of a layer can be checked by who reads all of it. It counts
    /// only where whoever serves it could as well have named another manifest: for a tag, and from the
    /// registry itself. What a mirror has, or the storage that a registry sends its readers to, is trusted
    /// by its digest alone.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when the claims of the manifest have expired or are not yet valid: their
    /// signature is good, so that is what the publisher wants. Otherwise that of a registry that
    /// cannot be reached.
    pub(super) async fn remote(
        &self,
        store: &dyn ReadStorage,
        artifact: &Artifact,
        reference: &Reference,
    ) -> Result<Option<Remote>, Error> {
        let [layer] = artifact.layers() else {
            return Ok(whole_instead(reference, "it is in several layers"));
        };
        match annotations::claims(artifact) {
            Some(Ok(claims)) => Ok(Some(Remote {
                claims,
                index: annotations::index(artifact),
                layer: layer.clone(),
                downloaded: 0,
                head: None,
            })),
            Some(Err(error @ (archive::Error::Expired(_) | archive::Error::NotYetValid(_)))) => {
                Err(Error::unusable(&reference.to_string(), error))
            }
            Some(Err(error)) => {
                let reason = format!("the claims in its manifest cannot be used: {error}");
                Ok(whole_instead(reference, &reason))
            }
            None if reference.digest().is_some() => {
                let reason = "its manifest, which is pinned, carries no claims";
                Ok(whole_instead(reference, reason))
            }
            None => self.probe(store, artifact, layer, reference).await,
        }
    }

    /// What the start of the archive says.
    async fn probe(
        &self,
        store: &dyn ReadStorage,
        artifact: &Artifact,
        layer: &Descriptor,
        reference: &Reference,
    ) -> Result<Option<Remote>, Error> {
        let manifest = &artifact.descriptor().digest;
        let name = record_name(reference);
        let kept = self.kept_head(name.clone(), manifest).await?;
        let (head, downloaded) = match kept {
            Some(head) => (head, 0),
            None => match self.head(store, layer, reference).await? {
                Some(head) => (head, HEAD),
                None => return Ok(None),
            },
        };
        let Some((index, claims)) = read_head(&head, &self.limits) else {
            return Ok(whole_instead(reference, "it has no index that can be used"));
        };
        let name = name.filter(|_| downloaded > 0);
        Ok(Some(Remote {
            claims,
            index: Some(index),
            layer: layer.clone(),
            downloaded,
            head: name.map(|name| Head {
                name,
                manifest: manifest.clone(),
                bytes: head,
            }),
        }))
    }

    /// What was downloaded before of the start of the archive.
    async fn kept_head(
        &self,
        name: Option<String>,
        manifest: &Digest,
    ) -> Result<Option<Vec<u8>>, Error> {
        let (client, manifest) = (self.clone(), manifest.clone());
        blocking(move || {
            let cache = client.cache()?;
            Ok(name.and_then(|name| cache.head(&name, &manifest)))
        })
        .await
    }

    /// Downloads the start of the archive.
    async fn head(
        &self,
        store: &dyn ReadStorage,
        layer: &Descriptor,
        reference: &Reference,
    ) -> Result<Option<Vec<u8>>, Error> {
        if layer.size <= HEAD {
            return Ok(whole_instead(reference, "it is small"));
        }
        let opened = match reference {
            Reference::Registry(place) if self.pull != PullPolicy::Never => {
                let repository = self.registries.repository(place);
                repository.open_first_hand(layer, 0..HEAD).await
            }
            _ => store.open(layer, Some(0..HEAD)).await,
        };
        let head = match opened {
            Ok(reader) => read_up_to(reader, HEAD).await,
            Err(error) => Err(error),
        };
        match head {
            Ok(head) => Ok(Some(head)),
            Err(error) if error.kind() == ErrorKind::Unavailable => Err(error.into()),
            Err(error) => Ok(whole_instead(reference, &error.to_string())),
        }
    }
}

/// A part of the archive, in memory.
pub(super) async fn read(
    store: &dyn ReadStorage,
    layer: &Descriptor,
    range: Range<u64>,
) -> Result<Vec<u8>, StoreError> {
    let length = range.end.saturating_sub(range.start);
    read_up_to(store.open(layer, Some(range)).await?, length).await
}

async fn read_up_to(reader: Reader, length: u64) -> Result<Vec<u8>, StoreError> {
    let mut part = Vec::new();
    let read = reader.take(length).read_to_end(&mut part).await;
    // The error of a store is inside that of its reader.
    read.map_err(|error| match error.downcast::<StoreError>() {
        Ok(error) => error,
        Err(error) => StoreError::new(ErrorKind::Unavailable, error),
    })?;
    Ok(part)
}

/// There is no short way: the whole archive is read, and this is why.
pub(super) fn whole_instead<T>(reference: &Reference, reason: &str) -> Option<T> {
    tracing::info!("all of {reference} is read: {reason}");
    None
}
