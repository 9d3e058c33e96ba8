//! What belongs to a manifest in a storage: its referrers, and what cosign stores under tags of its digest.

use std::collections::HashSet;

use crate::content::{Descriptor, Digest, ErrorKind, ManifestName, ReadStorage, Referrers};
use crate::oci::attached_tags;

use super::error::Error;

/// A manifest that belongs to another one, as a storage lists it. It is not verified.
#[derive(Debug, Clone)]
pub(super) enum AttachedManifest {
    /// A manifest that has the other one as its subject.
    Referrer(Descriptor),
    /// A manifest under a tag of the other one's digest.
    Tagged(String, Descriptor),
}

impl AttachedManifest {
    pub(super) fn digest(&self) -> &Digest {
        match self {
            Self::Referrer(descriptor) | Self::Tagged(_, descriptor) => &descriptor.digest,
        }
    }
}

/// Finds what belongs to the manifests of a storage.
pub(super) struct AttachedReader<'a> {
    from: &'a dyn ReadStorage,
    referrers: &'a dyn Referrers,
    /// All tags of the storage, if they are known.
    tags: Option<HashSet<String>>,
}

impl<'a> AttachedReader<'a> {
    /// Prepares to ask `from`. `None`: it does not know what belongs to a manifest.
    pub(super) async fn new(from: &'a dyn ReadStorage) -> Result<Option<Self>, Error> {
        let Some(referrers) = from.as_referrers() else {
            return Ok(None);
        };
        let tags = referrers.tags_at_once().await?;
        Ok(Some(Self {
            from,
            referrers,
            tags: tags.map(|tags| tags.into_iter().collect()),
        }))
    }

    /// Lists what belongs to the manifest `subject` itself, and not what belongs to that.
    pub(super) async fn of(&self, subject: &Digest) -> Result<Vec<AttachedManifest>, Error> {
        let listed = self.referrers.referrers(subject, None).await?.into_iter();
        let mut found: Vec<AttachedManifest> = listed
            .map(|referrer| AttachedManifest::Referrer(referrer.descriptor))
            .collect();
        for tag in attached_tags(subject) {
            if self.tags.as_ref().is_some_and(|tags| !tags.contains(&tag)) {
                continue;
            }
            match self.from.resolve(&ManifestName::Tag(tag.clone())).await {
                Ok(manifest) => found.push(AttachedManifest::Tagged(tag, manifest)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }
}
