//! Changing what names stand for.
//!
//! What they stand for before is asked of the host that takes the change: a mirror may be behind.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{Descriptor, Digest, ManifestName};

use super::super::error::Error;
use super::Repository;
use super::hosted::HostedRepository;

/// How many tags are looked up at a time.
const AT_A_TIME: usize = 8;

impl Repository {
    /// Lets `tag` stand for the manifest that `name`, a tag or a digest, stands for. Two requests, and a
    /// third to look when the registry does not say what it has stored.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::TagImmutable`]; [`Error::StoredDifferently`] when the tag does not stand
    /// for it then; and everything that keeps a registry from accepting.
    pub async fn add_tag(&self, name: &ManifestName, tag: &str) -> Result<Descriptor, Error> {
        let host = self.writable().await?;
        let (manifest, bytes) = host.manifest(&name.to_string()).await?;
        host.send_manifest(&manifest, bytes, tag).await?;
        Ok(manifest)
    }

    /// The manifest that `name`, a tag or a digest, stands for, and all tags that stand for the same one,
    /// sorted. One request for each page of tags, and for each tag.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], and everything that keeps a registry from answering.
    pub async fn tagged_alike(
        &self,
        name: &ManifestName,
    ) -> Result<(Descriptor, Vec<String>), Error> {
        let host = self.writable().await?;
        let manifest = host.resolve_name(&name.to_string()).await?;
        let tags = match host.tags().await {
            Ok(tags) => tags,
            // What some registries say of a repository without tags.
            Err(Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let digest = &manifest.digest;
        let looked_up: Vec<_> = tags
            .into_iter()
            .map(|tag| host.clone().tag_if_of(tag, digest.clone()))
            .collect();
        let alike: Vec<Option<String>> = stream::iter(looked_up)
            .buffered(AT_A_TIME)
            .try_collect()
            .await?;
        Ok((manifest, alike.into_iter().flatten().collect()))
    }
}

impl HostedRepository {
    /// `tag`, when it stands for `digest`.
    async fn tag_if_of(self, tag: String, digest: Digest) -> Result<Option<String>, Error> {
        match self.resolve_name(&tag).await {
            Ok(found) => Ok((found.digest == digest).then_some(tag)),
            // It has gone since the tags were listed.
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
