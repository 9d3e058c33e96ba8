//! The attachments of a manifest in a storage: its referrers, and the manifests that cosign stores under tags made of its
//! digest.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::future::try_join;
use tokio::sync::OnceCell;

use crate::content::{Descriptor, Digest, ErrorKind, ManifestName, ReadStorage, Referrers};
use crate::oci::{Declaration, attached_tags};

use super::super::error::Error;

/// An attachment of a manifest, as a storage lists it. The list is not verified.
#[derive(Debug, Clone)]
pub(in crate::client) enum AttachedManifest {
    /// A manifest whose subject is the other manifest.
    Referrer(Descriptor),
    /// A manifest under a tag that is made of the other manifest's digest, such as `sha256-….sig`. The first field is the
    /// tag.
    Tagged(String, Descriptor),
}

impl AttachedManifest {
    pub(in crate::client) fn descriptor(&self) -> &Descriptor {
        match self {
            Self::Referrer(descriptor) | Self::Tagged(_, descriptor) => descriptor,
        }
    }

    pub(in crate::client) fn digest(&self) -> &Digest {
        &self.descriptor().digest
    }
}

/// The result of [fetching](AttachedReader::fetch) an attachment.
pub(in crate::client) enum FetchedAttached {
    /// The manifest: its descriptor, and its verified bytes.
    Found(Descriptor, Bytes),
    /// The storage lists the manifest, but does not have it.
    Missing,
    /// The manifest is listed as a referrer, but it names another subject or none, so it is no attachment.
    OtherSubject,
}

/// Finds the attachments of manifests in a storage.
pub(in crate::client) struct AttachedReader<'a> {
    from: &'a dyn ReadStorage,
    referrers: &'a dyn Referrers,
    /// All tags of the storage, or `None` if one request cannot return them. They are requested with the first list.
    tags: OnceCell<Option<HashSet<String>>>,
}

impl<'a> AttachedReader<'a> {
    /// Returns `None` if the storage `from` does not know attachments. The cache does not.
    pub(in crate::client) fn new(from: &'a dyn ReadStorage) -> Option<Self> {
        Some(Self {
            from,
            referrers: from.as_referrers()?,
            tags: OnceCell::new(),
        })
    }

    /// Lists the attachments of the manifest `subject`, without attachments of attachments.
    pub(in crate::client) async fn of(
        &self,
        subject: &Digest,
    ) -> Result<Vec<AttachedManifest>, Error> {
        let listed = async { Ok(self.referrers.referrers(subject, None).await?) };
        let (listed, tagged) = try_join(listed, self.tagged(subject)).await?;
        let listed = listed.into_iter();
        let listed = listed.map(|referrer| AttachedManifest::Referrer(referrer.descriptor));
        Ok(listed.chain(tagged).collect())
    }

    /// Fetches an attachment that is listed for `subject`. Checks whether a referrer names the subject, because a list of
    /// referrers may be wrong.
    pub(in crate::client) async fn fetch(
        &self,
        attached: &AttachedManifest,
        subject: &Digest,
    ) -> Result<FetchedAttached, Error> {
        let name = ManifestName::Digest(attached.digest().clone());
        let (manifest, bytes) = match self.from.fetch_manifest(&name).await {
            Ok(fetched) => fetched,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(FetchedAttached::Missing);
            }
            Err(error) => return Err(error.into()),
        };
        let names_subject =
            || Declaration::of(&bytes).is_some_and(|declared| declared.subject == *subject);
        if matches!(attached, AttachedManifest::Referrer(_)) && !names_subject() {
            return Ok(FetchedAttached::OtherSubject);
        }
        Ok(FetchedAttached::Found(manifest, bytes))
    }

    /// Lists the manifests under tags that are made of the digest of `subject`.
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
