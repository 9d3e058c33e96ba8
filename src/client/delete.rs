//! Delete: a manifest, its tags and what belongs to it leave a registry, or only a tag does.

use crate::content::{Delete, Digest, ErrorKind, ManifestName, Push, Resolve};
use crate::oci::{Reference, RegistryReference};

use super::attached_delete::{AttachedSearch, Belonging, TaggedReferrer};
use super::error::{Error, require_digest, require_name};
use super::lookup::open_layout;
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
    /// The digests of the manifests that belong to the manifest and are deleted with it: referrers, those of referrers,
    /// and what cosign stores under tags of their digests. Each one is before the one that it belongs to.
    pub attached: Vec<Digest>,
    /// The referrers that are not deleted, because tags name them.
    pub kept: Vec<TaggedReferrer>,
    /// The lists of referrers that are deleted too.
    lists: Vec<Digest>,
}

impl Deletion {
    /// Keeps what belongs to the manifest: only the manifest and its tags are deleted.
    #[must_use]
    pub fn keep_attached(self) -> Self {
        Self {
            attached: Vec::new(),
            kept: Vec::new(),
            lists: Vec::new(),
            ..self
        }
    }
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
    /// repository, and some for each manifest that belongs to it.
    ///
    /// A referrer that a tag names is not deleted with its subject: it may be an image that names the archive from which
    /// it was made.
    ///
    /// Mirrors are not asked, because they may be behind, and neither is the cache: the pull policy
    /// does not count.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, [`Error::Unnamed`], or [`Error::TooMuchAttached`].
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn deletion(&self, reference: &RegistryReference) -> Result<Deletion, Error> {
        let whole = Reference::Registry(reference.clone());
        let name = require_name(&whole)?;
        let repository = self.registries.repository(reference).without_mirrors();
        let (manifest, tags) = repository.manifest_and_tags(&name).await?;
        let search = AttachedSearch {
            repository: &repository,
            reference: &whole,
            tags: &tags,
        };
        let Belonging {
            attached,
            lists,
            kept,
        } = search.run(&manifest.digest).await?;
        let tags = tags.into_iter();
        let tags = tags.filter(|(_, named)| *named == manifest.digest);
        Ok(Deletion {
            reference: reference.clone(),
            tags: tags.map(|(tag, _)| tag).collect(),
            digest: manifest.digest,
            attached,
            kept,
            lists,
        })
    }

    /// Deletes a manifest, all tags that name it, and what belongs to it. The registry keeps the blobs until it collects
    /// them.
    ///
    /// The manifest itself goes last: after an error, the rest can be looked up again.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry. Many registries do not allow deleting.
    #[tracing::instrument(skip_all, fields(reference = %deletion.reference, digest = %deletion.digest))]
    pub async fn delete(&self, deletion: &Deletion) -> Result<(), Error> {
        let repository = self.registries.repository(&deletion.reference);
        for digest in deletion.attached.iter().chain(&deletion.lists) {
            repository.delete_attached(digest).await?;
        }
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
                let layout = open_layout(place).await?;
                let digest = layout.resolve(&name).await?.digest;
                require_digest(reference, reference.digest(), &digest)?;
                layout.untag(tag).await?;
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
