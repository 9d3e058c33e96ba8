//! Reading the claims and the index of an archive without downloading the archive.

use std::ops::Range;

use tokio::io::AsyncReadExt;

use crate::archive::{self, Index, VerifiedClaims, read_head};
use crate::content::{Descriptor, ErrorKind, ReadStorage, Reader, StoreError};
use crate::oci::Reference;

use super::super::annotations;
use super::super::blocking::blocking;
use super::super::error::Error;
use super::super::options::PullPolicy;
use super::record::{Head, record_name};
use super::start::Lookup;

/// How many bytes of an archive's start are requested. A usual manifest and this start are together below 64 KiB. The index
/// of an archive of more than 20 GB and claims with a large schema do not fit; then the whole archive is read.
const HEAD: u64 = 48 * 1024;

/// The claims and the index of an archive, read without downloading the archive.
pub(in crate::client) struct Preview {
    /// The verified claims: the issuer, the subject, and the hashes of the executables.
    pub(in crate::client) claims: VerifiedClaims,
    /// Where the entries of the archive are. It is not signed.
    pub(in crate::client) index: Option<Index>,
    /// The layer that is the archive.
    pub(in crate::client) layer: Descriptor,
    /// How many bytes of the archive were downloaded for this.
    pub(in crate::client) downloaded: u64,
    /// The start of the archive, if it was downloaded, to be recorded for the next time.
    pub(in crate::client) head: Option<Head>,
}

impl Lookup {
    /// Returns the preview from the manifest, or else from the start of the archive. Returns `None` when neither can be
    /// relied on, so that the whole archive has to be read.
    ///
    /// The digest of the manifest covers its annotations. No digest covers the start of an archive alone: the digest of
    /// a layer can be checked only by reading the whole layer. So the start is used only if its server could give any
    /// archive anyway by naming another manifest: for a tag, and from the registry itself, if no Sigstore identity must
    /// have signed the manifest. Content from a mirror, or from storage that a registry redirects to, counts only if its
    /// digest is checked.
    ///
    /// Claims in the manifest that have expired or are not yet valid are an error. Their signature is good, so the
    /// publisher has set these dates.
    pub(in crate::client) async fn preview(&self) -> Result<Option<Preview>, Error> {
        let (artifact, reference) = (&self.artifact, self.reference());
        let [layer] = artifact.layers() else {
            return Ok(self.fall_back("it is in several layers"));
        };
        match annotations::claims(artifact, self.client().dates) {
            Some(Ok(claims)) => Ok(Some(Preview {
                claims,
                index: annotations::index(artifact),
                layer: layer.clone(),
                downloaded: 0,
                head: None,
            })),
            Some(Err(error @ (archive::Error::Expired(_) | archive::Error::NotYetValid(_)))) => {
                Err(Error::unusable(reference)(error))
            }
            Some(Err(error)) => {
                let reason = format!("the claims in its manifest do not verify: {error}");
                Ok(self.fall_back(&reason))
            }
            None if reference.digest().is_some() => {
                Ok(self.fall_back("its manifest, which is pinned, carries no claims"))
            }
            None if self.admission().demands_identity() => Ok(self
                .fall_back("its manifest, which an identity must have signed, carries no claims")),
            None => self.preview_head(layer).await,
        }
    }

    /// Returns the preview from the start of the archive.
    async fn preview_head(&self, layer: &Descriptor) -> Result<Option<Preview>, Error> {
        let name = record_name(self.reference());
        let (head, downloaded) = match self.recorded_head(name.clone()).await? {
            Some(head) => (head, 0),
            None => match self.download_head(layer).await? {
                Some(head) => (head, HEAD),
                None => return Ok(None),
            },
        };
        let Some((index, claims)) = read_head(&head, &self.client().limits) else {
            return Ok(self.fall_back("it has no index that can be used"));
        };
        // Archives of a former issuer may be used if their digest was used before. No digest covers these claims.
        if self.admission().is_of_former_issuer(&claims).await? {
            return Ok(self.fall_back("its issuer has handed its repository over"));
        }
        let name = name.filter(|_| downloaded > 0);
        Ok(Some(Preview {
            claims,
            index: Some(index),
            layer: layer.clone(),
            downloaded,
            head: name.map(|name| Head {
                name,
                manifest: self.digest(),
                bytes: head,
            }),
        }))
    }

    /// Returns the start of the archive that was recorded by an earlier lookup.
    async fn recorded_head(&self, name: Option<String>) -> Result<Option<Vec<u8>>, Error> {
        let (client, manifest) = (self.client().clone(), self.digest());
        blocking(move || {
            let cache = client.cache()?;
            Ok(name.and_then(|name| cache.head(&name, &manifest)))
        })
        .await
    }

    /// Downloads the start of the archive.
    async fn download_head(&self, layer: &Descriptor) -> Result<Option<Vec<u8>>, Error> {
        let (client, reference) = (self.client(), self.reference());
        if layer.size <= HEAD {
            return Ok(self.fall_back("it is small"));
        }
        let opened = match reference {
            Reference::Registry(place) if client.pull != PullPolicy::Never => {
                let repository = client.registries.repository(place);
                repository.open_first_hand(layer, 0..HEAD).await
            }
            _ => self.store().open(layer, Some(0..HEAD)).await,
        };
        let head = match opened {
            Ok(reader) => read_up_to(reader, HEAD).await,
            Err(error) => Err(error),
        };
        match head {
            Ok(head) => Ok(Some(head)),
            Err(error) if error.kind() == ErrorKind::Unavailable => Err(error.into()),
            Err(error) => Ok(self.fall_back(&error.to_string())),
        }
    }

    /// Logs why the whole archive is read.
    pub(in crate::client) fn fall_back<T>(&self, reason: &str) -> Option<T> {
        tracing::info!("all of {} is read: {reason}", self.reference());
        None
    }
}

/// Reads a part of a layer into memory.
pub(in crate::client) async fn read_range(
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
    // The reader's error contains the error of the store.
    read.map_err(|error| match error.downcast::<StoreError>() {
        Ok(error) => error,
        Err(error) => StoreError::new(ErrorKind::Unavailable, error),
    })?;
    Ok(part)
}
