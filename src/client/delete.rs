//! Delete: a manifest, its tags and what belongs to it leave a registry, or only a tag does.

use std::collections::BTreeSet;

use crate::content::{Delete, Digest, ErrorKind, ManifestName, Push, with_causes};
use crate::oci::{Reference, RegistryReference, Repository};

use super::attached_delete::{AttachedSearch, Belonging, TaggedReferrer};
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
    pub async fn deletion(&self, reference: &RegistryReference) -> Result<Deletion, Error> {
        self.deletion_without(reference, &BTreeSet::new()).await
    }

    /// Looks up a [deletion](Self::deletion), without what is `needed` and what belongs to that.
    #[tracing::instrument(name = "deletion", skip_all, fields(%reference))]
    pub(super) async fn deletion_without(
        &self,
        reference: &RegistryReference,
        needed: &BTreeSet<Digest>,
    ) -> Result<Deletion, Error> {
        let whole = Reference::Registry(reference.clone());
        let name = require_name(&whole)?;
        let repository = self.registries.repository(reference).without_mirrors();
        let (manifest, tags) = repository.manifest_and_tags(&name).await?;
        let search = AttachedSearch {
            repository: &repository,
            reference: &whole,
            tags: &tags,
            needed,
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
        repository.delete_manifest(&deletion.digest).await?;
        for tag in &deletion.tags {
            remove_left_tag(&repository, tag, &deletion.digest).await;
        }
        Ok(())
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

/// Removes a tag of a manifest that was deleted. Most registries have removed it with the manifest. The registry of
/// go-containerregistry has not.
async fn remove_left_tag(repository: &Repository, tag: &str, digest: &Digest) {
    let name = ManifestName::Tag(tag.to_owned());
    let left = repository.stored_manifest(&name).await;
    if left.is_ok_and(|(manifest, _)| manifest.digest == *digest)
        && let Err(error) = repository.delete_tag(tag).await
    {
        let cause = with_causes(&error);
        tracing::warn!("the registry has deleted {digest}, and keeps its tag {tag}: {cause}");
    }
}
