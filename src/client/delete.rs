//! Delete: removes a manifest with its tags and what belongs to it, or only a tag.

use std::collections::BTreeSet;

use crate::content::{Delete, Digest, ErrorKind, ManifestName, Push, with_causes};
use crate::oci::{Reference, RegistryReference, Repository};

use super::attachments::{AttachedSearch, FoundAttachments, TaggedReferrer};
use super::error::Error;
use super::lookup::{change_layout, open_layout};
use super::require::{require_digest, require_name};
use super::{Client, note_digest};

/// A manifest to [delete](Client::delete), with its tags and what belonged to it when it was [looked
/// up](Client::deletion).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deletion {
    /// The reference that was looked up.
    pub reference: RegistryReference,
    /// The digest of the manifest.
    pub digest: Digest,
    /// All tags that name the manifest, sorted. They are deleted with it.
    pub tags: Vec<String>,
    /// The digests of the manifests that belong to the manifest and are deleted with it: referrers, referrers of
    /// referrers, and what cosign stores under tags made of their digests. Each manifest comes before the one that it
    /// belongs to.
    pub attached: Vec<Digest>,
    /// The referrers that are not deleted, because tags name them.
    pub kept: Vec<TaggedReferrer>,
    /// The digests of the lists of referrers, which are deleted too.
    lists: Vec<Digest>,
}

impl Deletion {
    /// Returns the digests of everything that is deleted.
    pub(super) fn manifests(&self) -> impl Iterator<Item = &Digest> {
        let own = std::iter::once(&self.digest);
        own.chain(&self.attached).chain(&self.lists)
    }

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
    /// Only the registry itself is asked, whatever the pull policy: a mirror or the cache may be out of date.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry, [`Error::Unnamed`], or [`Error::TooMuchAttached`].
    pub async fn deletion(&self, reference: &RegistryReference) -> Result<Deletion, Error> {
        let whole = Reference::Registry(reference.clone());
        let name = require_name(&whole)?;
        let repository = self.registries.repository(reference).without_mirrors();
        let (manifest, tags) = repository.manifest_and_tags(&name).await?;
        let needed = BTreeSet::new();
        let deletion = self.deletion_among(reference, &manifest.digest, &tags, &needed);
        deletion.await
    }

    /// Looks up a [deletion](Self::deletion) of `digest` among all tags of the repository, which were read before. Leaves out
    /// the manifests in `needed` and what belongs to them.
    #[tracing::instrument(name = "deletion", skip_all, fields(%reference))]
    pub(super) async fn deletion_among(
        &self,
        reference: &RegistryReference,
        digest: &Digest,
        tags: &[(String, Digest)],
        needed: &BTreeSet<Digest>,
    ) -> Result<Deletion, Error> {
        let whole = Reference::Registry(reference.clone());
        let repository = self.registries.repository(reference).without_mirrors();
        let search = AttachedSearch {
            repository: &repository,
            reference: &whole,
            tags,
            needed,
        };
        let FoundAttachments {
            attached,
            lists,
            kept,
        } = search.run(digest).await?;
        let tags = tags.iter().filter(|(_, named)| named == digest);
        Ok(Deletion {
            reference: reference.clone(),
            tags: tags.map(|(tag, _)| tag.clone()).collect(),
            digest: digest.clone(),
            attached,
            kept,
            lists,
        })
    }

    /// Deletes a manifest, all tags that name it, and what belongs to it. The registry keeps the blobs until it collects
    /// them.
    ///
    /// The manifest itself is deleted last, so that after an error the rest can be looked up again.
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

    /// Removes the tag of `reference` and keeps the manifest that the tag names. When `reference` has a digest too, the
    /// tag must name that manifest.
    ///
    /// This needs a registry that implements the OCI distribution specification 1.1. In an image layout, the manifest
    /// can still be found by its digest.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or the layout, also when the tag does not exist. `registry:2` cannot remove a tag:
    /// [`oci::Error::Refused`](crate::oci::Error::Refused). [`Error::OtherDigest`] when the tag names another manifest.
    /// [`Error::Unnamed`] when `reference` has no tag.
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

/// Removes a tag that the registry has kept of a deleted manifest, as the registry of go-containerregistry does. Most
/// registries remove the tags with the manifest.
async fn remove_left_tag(repository: &Repository, tag: &str, digest: &Digest) {
    let name = ManifestName::Tag(tag.to_owned());
    let left = repository.stored_manifest(&name).await;
    if left.is_ok_and(|(manifest, _)| manifest.digest == *digest)
        && let Err(error) = repository.delete_tag(tag).await
    {
        let cause = with_causes(&error);
        tracing::warn!("the registry has deleted {digest}, but not its tag {tag}: {cause}");
    }
}
