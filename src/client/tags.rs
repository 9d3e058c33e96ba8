//! Tags: listing the tags of a repository or an image layout, adding tags, and deleting old ones.

use std::time::SystemTime;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::archive::{Dates, VerifiedClaims};
use crate::content::{Descriptor, Digest, ErrorKind, ManifestName, Push, ReadStorage};
use crate::oci::{Artifact, Place, Reference, RegistryReference};

use super::error::Error;
use super::lookup::{change_layout, named, open_layout, read_storage};
use super::options::PullPolicy;
use super::publisher::{Publisher, reading};
use super::require::require_name;
use super::retention::{Execution, Inventory, PruneOutcome, PrunePlan, Retention};
use super::tagging::{TagChange, TagIdentity, Tagging};
use super::{Client, annotations};

/// How many manifests are requested at a time.
const AT_A_TIME: usize = 8;

/// A tag and what its manifest says. Only the manifest is read. The size is known only for provider archives, and the
/// version and the time only for archives whose manifest carries their claims.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TagDetails {
    /// The tag.
    pub tag: String,
    /// The digest of the manifest or the image index.
    pub digest: Digest,
    /// The size of the archive in bytes.
    pub size: Option<u64>,
    /// The version in the verified claims.
    pub version: Option<String>,
    /// The time of signing in the verified claims.
    pub signed: Option<SystemTime>,
}

/// The options for adding tags.
///
/// ```
/// use wasmcloud_par::client::TagOptions;
///
/// let options = TagOptions::default().if_absent(true);
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TagOptions {
    /// Whether it is an error that a tag names another manifest. Default: `false`, the tag is moved.
    pub if_absent: bool,
    /// Whether a tag that names an archive of another issuer or subject may be moved. Default: `false`.
    pub change_identity: bool,
}

impl TagOptions {
    /// Sets whether it is an error that a tag names another manifest.
    #[must_use]
    pub fn if_absent(mut self, if_absent: bool) -> Self {
        self.if_absent = if_absent;
        self
    }

    /// Sets whether a tag that names an archive of another issuer or subject may be moved.
    #[must_use]
    pub fn change_identity(mut self, change_identity: bool) -> Self {
        self.change_identity = change_identity;
        self
    }
}

/// A manifest to which tags were added.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tagged {
    /// The manifest.
    pub manifest: Descriptor,
    /// The tags that name the manifest now, and what they named before.
    pub tags: Vec<TagChange>,
}

impl Client {
    /// Returns all tags of the repository or image layout that `reference` is in, sorted. For a layout without tags,
    /// returns the whole references that other tools write as names, such as `ghcr.io/org/provider:1.0`.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or of the layout. [`Error::NotCached`] for a registry with
    /// [`PullPolicy::Never`]: the cache does not know all tags.
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn tags(&self, reference: &Reference) -> Result<Vec<String>, Error> {
        match reference {
            Reference::Registry(_) if self.pull == PullPolicy::Never => {
                Err(Error::NotCached(format!("the list of tags of {reference}")))
            }
            Reference::Registry(place) => Ok(self.registries.repository(place).tags().await?),
            Reference::Layout(place) => Ok(open_layout(place).await?.tags().await?),
        }
    }

    /// Returns the names of all repositories of the registry at `place`, sorted, such as `org/provider`.
    ///
    /// Many registries have no list of repositories, or show it only to administrators.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry. [`Error::NotCached`] with [`PullPolicy::Never`].
    #[tracing::instrument(skip_all, fields(registry = place.registry()))]
    pub async fn repositories(&self, place: &Place) -> Result<Vec<String>, Error> {
        let registry = place.registry();
        if self.pull == PullPolicy::Never {
            return Err(Error::NotCached(format!(
                "the list of repositories of {registry}"
            )));
        }
        Ok(self.registries.repositories(registry).await?)
    }

    /// Returns the details of `tags` in the repository or image layout of `reference`, in their order. A tag that does
    /// not exist is left out. This requests one manifest for each tag.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or of the layout.
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn tag_details(
        &self,
        reference: &Reference,
        tags: &[String],
    ) -> Result<Vec<TagDetails>, Error> {
        let storage = read_storage(self, reference).await?;
        let details = tags.iter().cloned();
        let details: Vec<_> = details
            .map(|tag| details_of(storage.as_ref(), tag))
            .collect();
        let details = stream::iter(details).buffered(AT_A_TIME);
        let details: Vec<Option<TagDetails>> = details.try_collect().await?;
        Ok(details.into_iter().flatten().collect())
    }

    /// Moves `tag` to the manifest of `reference`, in the same repository or image layout. Creates
    /// the tag if it does not exist. Nothing but the manifest is uploaded.
    ///
    /// Only the registry itself is asked, whatever the pull policy: a mirror or the cache may be out of date. A tag of
    /// an archive of another issuer or subject is not moved.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry or of the layout, [`Error::Unnamed`], or [`Error::TagIdentity`].
    pub async fn tag(&self, reference: &Reference, tag: &str) -> Result<Descriptor, Error> {
        let tagged = self
            .add_tags(reference, &[tag], TagOptions::default())
            .await?;
        Ok(tagged.manifest)
    }

    /// Moves several tags as [`tag`](Self::tag) does. Fails before the first change if `options` do not allow moving
    /// one of them. A change by another client at the same time is not noticed.
    ///
    /// # Errors
    ///
    /// As for [`tag`](Self::tag), and [`Error::TagExists`].
    #[tracing::instrument(skip_all, fields(%reference))]
    pub async fn add_tags(
        &self,
        reference: &Reference,
        tags: &[impl AsRef<str> + Sync],
        options: TagOptions,
    ) -> Result<Tagged, Error> {
        for tag in tags {
            reference.with_tag(tag.as_ref())?;
        }
        let reference = named(reference).await?;
        let reference = reference.as_ref();
        let name = require_name(reference)?;
        let tags = tags.iter().map(AsRef::as_ref);
        let tagging = Tagging::new(reference, tags, options.if_absent)?;
        let storage: Box<dyn Push> = match reference {
            Reference::Registry(place) => Box::new(self.registries.repository(place)),
            Reference::Layout(place) => change_layout(place).await?,
        };
        let storage = storage.as_ref();
        let (manifest, bytes) = storage.stored_manifest(&name).await?;
        let tags = tagging.changes(storage, &manifest.digest).await?;
        if !options.change_identity {
            let (new, content) = (manifest.clone(), bytes.clone());
            let publisher = async || {
                let archive = reading(self, reference).await?;
                Publisher::of(self, reference, archive.as_ref(), new, content).await
            };
            let identity = TagIdentity::new(self, &tagging, storage);
            identity.keep(&tags, &manifest.digest, publisher).await?;
        }
        for change in &tags {
            let tag = Some(change.tag.as_str());
            storage.put_manifest(&manifest, &bytes, tag).await?;
        }
        storage.finish().await?;
        Ok(Tagged { manifest, tags })
    }

    /// Returns the plan which tags and manifests to delete by `retention`. Deletes nothing. Requests the manifest of
    /// each tag, and what is attached to the manifests that are deleted. If the age matters, requests also the start of each
    /// archive whose manifest does not say when it was made.
    ///
    /// A manifest stays when it has other tags, when an index that stays lists it, or when it belongs to a manifest
    /// that stays. Then only its tags are removed.
    ///
    /// # Errors
    ///
    /// [`Error`] of the registry. If one manifest cannot be read, there is no plan, because that manifest may need any
    /// other.
    #[tracing::instrument(skip_all, fields(%repository))]
    pub async fn prune_plan(
        &self,
        repository: &RegistryReference,
        retention: &Retention,
    ) -> Result<PrunePlan, Error> {
        let inventory = Inventory::read(self, repository, retention).await?;
        inventory.plan(self, retention).await
    }

    /// Deletes the tags and manifests of `plan`, and what belongs to the manifests. Returns the outcome for each
    /// manifest, up to the one at which the registry was unavailable or denied access. A manifest is not deleted if a tag that
    /// was created or moved since the plan was made needs it.
    ///
    /// Before a manifest is deleted, its tags and those of its attachments are checked. All tags of the repository are read at
    /// the start, and again each time that an eighth as many manifests as there are tags, and at least eight, were deleted. A
    /// tag that another client gives to a manifest of the plan after such a reading is deleted with the manifest.
    ///
    /// To remove a tag from a manifest that stays, the registry must be able to delete single tags, as for
    /// [`delete_tag`](Self::delete_tag).
    #[tracing::instrument(skip_all, fields(repository = %plan.repository))]
    pub async fn prune_tags(&self, plan: &PrunePlan) -> Vec<PruneOutcome> {
        Execution::new(self, plan).run().await
    }
}

async fn details_of(storage: &dyn ReadStorage, tag: String) -> Result<Option<TagDetails>, Error> {
    let name = ManifestName::Tag(tag.clone());
    let (descriptor, bytes) = match storage.fetch_manifest(&name).await {
        // The tag was deleted after the tags were listed.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        fetched => fetched?,
    };
    let digest = descriptor.digest.clone();
    let artifact = Artifact::parse(descriptor, bytes, &tag).ok();
    let claims = artifact
        .as_ref()
        .and_then(|artifact| annotations::claims(artifact, Dates::ValidLater));
    let claims = claims.and_then(Result::ok);
    Ok(Some(TagDetails {
        tag,
        digest,
        size: artifact.as_ref().map(Artifact::size),
        version: claims.as_ref().and_then(|claims| claims.metadata().version),
        signed: claims.as_ref().map(VerifiedClaims::issued_at),
    }))
}
