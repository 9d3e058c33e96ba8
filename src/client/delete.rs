//! Delete: a manifest and its tags leave a registry, or only a tag does.

use crate::content::{Delete, Digest, ErrorKind, ManifestName, Push};
use crate::oci::{Reference, RegistryReference};

use super::error::{Error, require_digest, require_name};
use super::lookup::{change_layout, open_layout};
use super::{Client, note_digest};

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

/// A tag that was [removed](Client::delete_tag).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedTag {
    /// The digest of the manifest that the tag named.
    pub digest: Digest,
    /// Whether the manifest is gone too. Some registries delete a manifest with its last tag.
    pub manifest_deleted: bool,
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

    /// Removes the tag of `reference`, and not the manifest that it names. When `reference` has a digest too, the tag
    /// must name that one.
    ///
    /// Registries that implement the OCI distribution specification 1.1 can do this. In an image layout, the manifest
    /// is still found by its digest.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or the layout, also when the tag does not exist. `registry:2` refuses:
    /// [`oci::Error::Refused`](crate::oci::Error::Refused). [`Error::OtherDigest`]; [`Error::Unnamed`] without a tag.
    #[tracing::instrument(skip_all, fields(%reference, digest))]
    pub async fn delete_tag(&self, reference: &Reference) -> Result<DeletedTag, Error> {
        let tag = reference.tag();
        let tag = tag.ok_or_else(|| Error::Unnamed(reference.to_string()))?;
        let name = ManifestName::Tag(tag.to_owned());
        let place = match reference {
            Reference::Registry(place) => place,
            Reference::Layout(place) => {
                let digest = open_layout(place).await?.resolve(&name).await?.digest;
                require_digest(reference, reference.digest(), &digest)?;
                let layout = change_layout(place).await?;
                if let Some(listing) = layout.as_listing() {
                    listing.untag(tag).await?;
                }
                layout.finish().await?;
                return Ok(DeletedTag {
                    digest,
                    manifest_deleted: false,
                });
            }
        };
        let repository = self.registries.repository(place);
        let (manifest, _) = repository.stored_manifest(&name).await?;
        let digest = manifest.digest;
        note_digest(&digest);
        require_digest(reference, reference.digest(), &digest)?;
        repository.delete_tag(tag).await?;
        let name = ManifestName::Digest(digest.clone());
        let left = repository.stored_manifest(&name).await;
        let manifest_deleted = left.is_err_and(|error| error.kind() == ErrorKind::NotFound);
        Ok(DeletedTag {
            digest,
            manifest_deleted,
        })
    }
}
