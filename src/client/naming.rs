//! What names stand for: finding out, adding a tag, and deleting.

use crate::content::{Descriptor, Digest};
use crate::oci::{Reference, RegistryReference};

use super::error::Error;
use super::{Access, Client};

/// What deleting a reference takes away, at the moment when it was [looked up](Client::deletion).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deletion {
    /// The repository, and the name that was looked up there.
    pub reference: RegistryReference,
    /// The digest of the manifest.
    pub digest: Digest,
    /// Every tag that stands for the manifest, sorted.
    pub tags: Vec<String>,
}

impl Client {
    /// Lets `tag` stand for what `reference` stands for, in the same repository; one that exists is
    /// moved. Nothing is uploaded but the manifest, as it is. Mirrors are not asked: they may be behind.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, or [`Error::Unnamed`].
    #[tracing::instrument(skip_all, fields(%reference, %tag))]
    pub async fn tag(&self, reference: &Reference, tag: &str) -> Result<Descriptor, Error> {
        let name = name(reference)?;
        if let Reference::Registry(place) = reference {
            let repository = self.registries.repository(place);
            return Ok(repository.add_tag(&name, tag).await?);
        }
        let store = self.store(reference, Access::Read).await?;
        let manifest = store.resolve(&name).await?;
        store.tag(&manifest, tag).await?;
        Ok(manifest)
    }

    /// Finds out what deleting `reference` would take away. Mirrors are not asked: they may be behind. One
    /// request for each tag of the repository.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, or [`Error::Unnamed`].
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn deletion(&self, reference: &RegistryReference) -> Result<Deletion, Error> {
        let name = name(&Reference::Registry(reference.clone()))?;
        let repository = self.registries.repository(reference);
        let (manifest, tags) = repository.tagged_alike(&name).await?;
        Ok(Deletion {
            reference: reference.clone(),
            digest: manifest.digest,
            tags,
        })
    }

    /// Deletes a manifest, and with it every tag that stands for it. Its blobs stay until the registry
    /// collects them.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, many of which do not allow it.
    #[tracing::instrument(skip_all, fields(reference = %deletion.reference, digest = %deletion.digest))]
    pub async fn delete(&self, deletion: &Deletion) -> Result<(), Error> {
        let repository = self.registries.repository(&deletion.reference);
        Ok(repository.delete_manifest(&deletion.digest).await?)
    }
}

fn name(reference: &Reference) -> Result<String, Error> {
    let name = reference.name();
    name.ok_or_else(|| Error::Unnamed(reference.to_string()))
}
