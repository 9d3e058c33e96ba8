//! What belongs to a manifest in a storage: its referrers, and what cosign stores under tags of its digest.

use std::collections::HashSet;

use futures_util::future::try_join;
use tokio::sync::OnceCell;

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
    /// All tags of the storage, if they are known at once. They are asked for with the first list.
    tags: OnceCell<Option<HashSet<String>>>,
}

impl<'a> AttachedReader<'a> {
    /// Prepares to ask `from`. `None`: it does not know what belongs to a manifest.
    pub(super) fn new(from: &'a dyn ReadStorage) -> Option<Self> {
        Some(Self {
            from,
            referrers: from.as_referrers()?,
            tags: OnceCell::new(),
        })
    }

    /// Lists what belongs to the manifest `subject` itself, and not what belongs to that.
    pub(super) async fn of(&self, subject: &Digest) -> Result<Vec<AttachedManifest>, Error> {
        let listed = async { Ok(self.referrers.referrers(subject, None).await?) };
        let (listed, tagged) = try_join(listed, self.tagged(subject)).await?;
        let listed = listed.into_iter();
        let listed = listed.map(|referrer| AttachedManifest::Referrer(referrer.descriptor));
        Ok(listed.chain(tagged).collect())
    }

    /// Lists what is under the tags of the digest of `subject`.
    async fn tagged(&self, subject: &Digest) -> Result<Vec<AttachedManifest>, Error> {
        let tags = self.tags.get_or_try_init(|| self.all_tags()).await?;
        let mut found = Vec::new();
        for tag in attached_tags(subject) {
            if tags.as_ref().is_some_and(|tags| !tags.contains(&tag)) {
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

    async fn all_tags(&self) -> Result<Option<HashSet<String>>, Error> {
        let tags = self.referrers.tags_at_once().await?;
        Ok(tags.map(|tags| tags.into_iter().collect()))
    }
}
