//! Moving tags to a manifest, and the manifests that they named before.

use crate::content::{Digest, ErrorKind, ManifestName, Push, with_causes};
use crate::oci::Reference;

use super::client::Client;
use super::error::Error;
use super::publisher::Publisher;

/// A tag that was created or moved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TagChange {
    /// The tag.
    pub tag: String,
    /// The digest of the manifest that the tag named before. `None` when it named none, or when the registry did
    /// not say.
    pub before: Option<Digest>,
}

/// The tags for a manifest of one repository or image layout.
pub(super) struct Tagging<'a> {
    pub(super) reference: &'a Reference,
    /// The tags, without repetition.
    tags: Vec<&'a str>,
    /// Whether a tag that names another manifest is an error.
    if_absent: bool,
}

impl<'a> Tagging<'a> {
    /// Checks `tags`, which are tags of the repository or the image layout of `reference`.
    pub(super) fn new(
        reference: &'a Reference,
        tags: impl IntoIterator<Item = &'a str>,
        if_absent: bool,
    ) -> Result<Self, Error> {
        let mut tagging = Self {
            reference,
            tags: Vec::new(),
            if_absent,
        };
        for tag in tags {
            reference.with_tag(tag)?;
            tagging.add(tag);
        }
        Ok(tagging)
    }

    /// Puts the tag of the reference before the others. In a layout, it may be any name.
    pub(super) fn with_own_tag(mut self) -> Self {
        let others = std::mem::take(&mut self.tags);
        for tag in self.reference.tag().into_iter().chain(others) {
            self.add(tag);
        }
        self
    }

    fn add(&mut self, tag: &'a str) {
        if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Returns the changes in an empty repository or image layout.
    pub(super) fn all_new(&self) -> Vec<TagChange> {
        let tags = self.tags.iter();
        let tags = tags.map(|tag| TagChange {
            tag: (*tag).to_owned(),
            before: None,
        });
        tags.collect()
    }

    /// Returns the tags that have to be created or moved so that all name `manifest`.
    pub(super) async fn changes(
        &self,
        storage: &dyn Push,
        manifest: &Digest,
    ) -> Result<Vec<TagChange>, Error> {
        let mut changes = Vec::new();
        for tag in &self.tags {
            let before = match storage.tagged(tag).await {
                Ok(None) if self.if_absent => stored(storage, tag).await?,
                Ok(found) => found.map(|found| found.digest),
                Err(error) if self.if_absent || error.kind() == ErrorKind::Unavailable => {
                    return Err(error.into());
                }
                // Some accounts may push but not read.
                Err(error) => {
                    let reference = self.reference.with_name(tag);
                    tracing::warn!(
                        "{reference} may move, and may change its publisher: the manifest that it names now cannot be read: {}",
                        with_causes(&error)
                    );
                    None
                }
            };
            if let Some(before) = before.as_ref().filter(|before| *before != manifest)
                && self.if_absent
            {
                return Err(Error::TagExists {
                    reference: self.reference.with_name(tag).to_string(),
                    existing: before.clone(),
                    wanted: manifest.clone(),
                });
            }
            changes.push(TagChange {
                tag: (*tag).to_owned(),
                before,
            });
        }
        Ok(changes)
    }
}

/// Makes sure that a tag moves only between archives of the same issuer and subject.
pub(super) struct TagIdentity<'a> {
    client: &'a Client,
    tagging: &'a Tagging<'a>,
    storage: &'a dyn Push,
}

impl<'a> TagIdentity<'a> {
    pub(super) fn new(client: &'a Client, tagging: &'a Tagging<'a>, storage: &'a dyn Push) -> Self {
        Self {
            client,
            tagging,
            storage,
        }
    }

    /// Refuses `changes` that move a tag from an archive of one issuer and subject to an archive of another. Warns when
    /// the archives cannot be compared. Nothing is requested for tags that are new or name `manifest` already.
    pub(super) async fn keep(
        &self,
        changes: &[TagChange],
        manifest: &Digest,
        publisher: impl AsyncFnOnce() -> Result<Publisher, Error>,
    ) -> Result<(), Error> {
        let moved = changes.iter().filter_map(|change| {
            let before = change.before.as_ref()?;
            (before != manifest).then_some((change.tag.as_str(), before))
        });
        let moved: Vec<_> = moved.collect();
        if moved.is_empty() {
            return Ok(());
        }
        let new = publisher().await?;
        let mut known: Vec<(&Digest, Publisher)> = Vec::new();
        for (tag, before) in moved {
            let seen = known.iter().find(|(digest, _)| *digest == before);
            let old = match seen {
                Some((_, publisher)) => publisher.clone(),
                None => self.publisher(before).await?,
            };
            let reference = self.tagging.reference.with_name(tag);
            old.require(&new, &reference)?;
            known.push((before, old));
        }
        Ok(())
    }

    /// Refuses `changes` that move the tag of a provider archive to `index`, which is a container image.
    pub(super) async fn keep_archives(
        &self,
        changes: &[TagChange],
        index: &Digest,
    ) -> Result<(), Error> {
        for change in changes {
            if let Some(before) = change.before.as_ref().filter(|before| *before != index) {
                let reference = self.tagging.reference.with_name(&change.tag);
                self.publisher(before).await?.refuse_image(&reference)?;
            }
        }
        Ok(())
    }

    async fn publisher(&self, digest: &Digest) -> Result<Publisher, Error> {
        let reference = self.tagging.reference;
        Publisher::stored(self.client, reference, self.storage, digest).await
    }
}

/// Returns the digest of the manifest that `tag` names. The manifest itself is requested.
async fn stored(storage: &dyn Push, tag: &str) -> Result<Option<Digest>, Error> {
    let name = ManifestName::Tag(tag.to_owned());
    match storage.stored_manifest(&name).await {
        Ok((manifest, _)) => Ok(Some(manifest.digest)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
