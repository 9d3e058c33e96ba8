//! Delete: a manifest and its tags leave a registry.

use crate::content::{Delete, Digest};
use crate::oci::{Reference, RegistryReference};

use super::Client;
use super::error::{Error, require_name};

/// A manifest that can be [deleted](Client::delete), as it was when it was
/// [looked up](Client::deletion).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deletion {
    /// The reference that was looked up.
    pub reference: RegistryReference,
    /// The digest of the manifest.
    pub digest: Digest,
    /// All tags that name the manifest, sorted. They are deleted with it.
    pub tags: Vec<String>,
}

impl Client {
    /// Looks up what deleting `reference` would delete. Takes one request for each tag of the
    /// repository.
    ///
    /// Mirrors are not asked, because they may be behind, and neither is the cache: the pull policy
    /// does not count.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, or [`Error::Unnamed`].
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn deletion(&self, reference: &RegistryReference) -> Result<Deletion, Error> {
        let name = require_name(&Reference::Registry(reference.clone()))?;
        let repository = self.registries.repository(reference);
        let (manifest, tags) = repository.manifest_with_tags(&name).await?;
        Ok(Deletion {
            reference: reference.clone(),
            digest: manifest.digest,
            tags,
        })
    }

    /// Deletes a manifest and all tags that name it. The registry keeps the blobs until it collects
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry. Many registries do not allow deleting.
    #[tracing::instrument(skip_all, fields(reference = %deletion.reference, digest = %deletion.digest))]
    pub async fn delete(&self, deletion: &Deletion) -> Result<(), Error> {
        let repository = self.registries.repository(&deletion.reference);
        Ok(repository.delete_manifest(&deletion.digest).await?)
    }
}
