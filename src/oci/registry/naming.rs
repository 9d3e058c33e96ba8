//! Changing what names stand for.
//!
//! What they stand for before is asked of the host that takes the change: a mirror may be behind.

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;

use crate::content::{Descriptor, Digest};

use super::super::error::Error;
use super::Repository;
use super::hosted::HostedRepository;
use super::transport::Scope;

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
    pub async fn add_tag(&self, name: &str, tag: &str) -> Result<Descriptor, Error> {
        let host = self.writable().await?;
        let (manifest, bytes) = host.manifest(name).await?;
        host.send_manifest(&manifest, bytes, tag).await?;
        Ok(manifest)
    }

    /// The manifest that `name`, a tag or a digest, stands for, and all tags that stand for the same one,
    /// sorted. One request for each page of tags, and for each tag.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], and everything that keeps a registry from answering.
    pub async fn tagged_alike(&self, name: &str) -> Result<(Descriptor, Vec<String>), Error> {
        let host = self.writable().await?;
        let manifest = host.resolve_name(name).await?;
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

    /// Deletes the manifest `digest`. Tags that stand for it go with it, blobs stay until the registry
    /// collects them. That it is gone already is fine.
    ///
    /// Deleting a tag by its name is for registries of the OCI distribution specification 1.1 only, and not
    /// for `registry:2`; so there is no function for it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the registry does not allow it, and everything that keeps it from answering.
    pub async fn delete_manifest(&self, digest: &Digest) -> Result<(), Error> {
        let host = self.writable().await?;
        let call = host.manifest_call(Method::DELETE, &digest.to_string(), Scope::DELETE)?;
        match host.transport.send(&call).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
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
