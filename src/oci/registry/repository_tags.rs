//! The tags of a repository, and the endpoints that are asked for them.

use std::time::Duration;

use crate::content::{Descriptor, Digest, ErrorKind, ManifestName, with_causes};
use crate::oci::error::Error;
use crate::oci::hosts::Capability;

use super::repository::Repository;
use super::tags;

/// How long to wait for the tags of the registry itself if it has mirrors.
const PATIENCE_FOR_TAGS: Duration = Duration::from_secs(10);

impl Repository {
    /// Returns all tags of the repository, sorted. Sends one request for each page of the list.
    ///
    /// A mirror may lack tags. So the registry itself is asked first, and mirrors only if it does not answer within ten
    /// seconds, denies access or has no such repository. The answer of a mirror is used with a warning.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the repository does not exist; [`Error::Malformed`] and [`Error::Json`] when the answer
    /// is not a list of tags, or the list has more than 100,000 tags or 1,000 pages; and the errors of any request to a
    /// registry.
    pub async fn tags(&self) -> Result<Vec<String>, Error> {
        let candidates = self.candidates(Capability::Resolve).await?;
        let ask = async |endpoint| tags::list(&self.at(endpoint)).await;
        if candidates.mirrors.is_empty() && candidates.paused.is_empty() {
            return candidates.first(ask, |_| true).await;
        }
        let (tags, mirror) = candidates.last_first(ask, PATIENCE_FOR_TAGS).await?;
        if let Some((mirror, error)) = mirror {
            tracing::warn!(
                "the tags are those of the mirror {}, which may lack some: {}",
                mirror.name(),
                with_causes(&error)
            );
        }
        Ok(tags)
    }

    /// Returns all tags of the repository if the registry itself gives them on one page.
    pub(super) async fn tags_on_one_page(&self) -> Result<Option<Vec<String>>, Error> {
        let candidates = self.candidates(Capability::Resolve).await?;
        if !candidates.mirrors.is_empty() || candidates.last.is_mirror() {
            // A mirror may not have all tags.
            return Ok(None);
        }
        match tags::only_page(&self.at(candidates.last)).await {
            // Without the list, the caller can resolve each tag.
            Err(error) if error.kind() != ErrorKind::Unavailable => Ok(None),
            tags => tags,
        }
    }

    /// Returns all tags, sorted, from the endpoint that receives pushes, because a mirror may be out of date. The list
    /// is empty when the repository does not exist.
    pub(crate) async fn own_tags(&self) -> Result<Vec<String>, Error> {
        match tags::list(&self.writable().await?).await {
            Err(Error::NotFound { .. }) => Ok(Vec::new()),
            tags => tags,
        }
    }

    /// Returns all tags, sorted, each with the digest of the manifest that it names. Sends one request for each page of tags
    /// and one for each tag, to the endpoint that receives pushes.
    pub(crate) async fn own_tags_and_digests(&self) -> Result<Vec<(String, Digest)>, Error> {
        tags::resolved(&self.writable().await?).await
    }

    /// Returns the manifest that `name`, a tag or a digest, names, and all tags of the repository, sorted, each with
    /// the digest of its manifest. Sends one request for each page of tags and one for each tag. It sends them to the
    /// endpoint that receives pushes, because a mirror may be out of date.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], and the errors of any request to a registry.
    pub async fn manifest_and_tags(
        &self,
        name: &ManifestName,
    ) -> Result<(Descriptor, Vec<(String, Digest)>), Error> {
        let repository = self.writable().await?;
        let manifest = repository.resolve_name(&name.to_string()).await?;
        let tags = tags::resolved(&repository).await?;
        repository.endpoint.answered();
        Ok((manifest, tags))
    }
}
