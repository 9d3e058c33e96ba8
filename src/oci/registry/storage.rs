//! A repository as a storage.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use crate::content::{
    Delete, Descriptor, Digest, ErrorKind, Fetch, ListedFirst, ManifestName, Mount, Push, Reader,
    Referrer, ReferrerList, Referrers, Resolve, Source, StoreError, Stored,
};
use crate::oci::error::Error;
use crate::oci::referrers::Declaration;

use super::http::Scope;
use super::referrers;
use super::referrers_tag::{ensure_listed, ensure_unlisted};
use super::repository::Repository;
use super::repository_endpoint::RepositoryEndpoint;
use super::upload::{self, Check};

#[async_trait]
impl Fetch for Repository {
    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        Ok(self.download(descriptor, range).await?)
    }
}

#[async_trait]
impl Resolve for Repository {
    async fn resolve(&self, name: &ManifestName) -> Result<Descriptor, StoreError> {
        Ok(self.resolve_name(&name.to_string()).await?)
    }

    async fn fetch_manifest(&self, name: &ManifestName) -> Result<(Descriptor, Bytes), StoreError> {
        Ok(self.manifest(&name.to_string()).await?)
    }

    fn as_referrers(&self) -> Option<&dyn Referrers> {
        Some(self)
    }
}

#[async_trait]
impl Referrers for Repository {
    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, StoreError> {
        Ok(self.referrers(subject, artifact_type).await?)
    }

    async fn listed(
        &self,
        subject: &Digest,
        artifact_type: &str,
        first: ListedFirst,
    ) -> Result<ReferrerList, StoreError> {
        Ok(self.listed_referrers(subject, artifact_type, first).await?)
    }

    async fn tags_at_once(&self) -> Result<Option<Vec<String>>, StoreError> {
        Ok(self.tags_on_one_page().await?)
    }
}

#[async_trait]
impl Push for Repository {
    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<Stored, StoreError> {
        Ok(self.store_blob(descriptor, None, source).await?)
    }

    /// Stores a manifest with one PUT, and compares it with the content that the registry has afterwards. If the push
    /// [checks last](Repository::checking_last) and the registry has confirmed the digest, the comparison is made before the
    /// next tag moves, or at the end of the push.
    ///
    /// When the registry refuses to move the tag, but the tag names this manifest already, the push is a success. When
    /// the manifest has a subject and the registry has no referrers API, the manifest is added to the list under the
    /// tag.
    async fn put_manifest(
        &self,
        descriptor: &Descriptor,
        bytes: &Bytes,
        tag: Option<&str>,
    ) -> Result<(), StoreError> {
        let repository = self.writable().await?;
        if let (Some(_), Some(unsettled)) = (tag, self.unsettled()) {
            unsettled.settle().await?;
        }
        let sent = upload::store_manifest(&repository, descriptor, bytes, tag).await?;
        self.check(&repository, descriptor, sent.check).await?;
        if let Some(declared) = Declaration::of(bytes)
            && sent.subject.as_ref() != Some(&declared.subject)
        {
            let subject = declared.subject.clone();
            let referrer = declared.describe(descriptor.clone());
            let listed = ensure_listed(&repository, &subject, referrer).await?;
            match (listed, self.unsettled()) {
                (None, _) => {}
                (Some(change), Some(unsettled)) => unsettled.add_list(change),
                (Some(change), None) => change.settle().await?,
            }
        }
        repository.endpoint.answered();
        Ok(())
    }

    async fn stored_manifest(
        &self,
        name: &ManifestName,
    ) -> Result<(Descriptor, Bytes), StoreError> {
        let repository = self.writable().await?;
        let stored = repository.manifest(&name.to_string()).await?;
        repository.endpoint.answered();
        Ok(stored)
    }

    async fn tagged(&self, tag: &str) -> Result<Option<Descriptor>, StoreError> {
        let repository = RepositoryEndpoint {
            reading: Scope::PUSH,
            ..self.writable().await?
        };
        let tagged = repository.tagged(tag).await?;
        repository.endpoint.answered();
        Ok(tagged)
    }

    fn as_mount(&self) -> Option<&dyn Mount> {
        Some(self)
    }

    /// Returns whether the registry has no referrers API: it ignores subjects then, and accepts a referrer before its
    /// subject.
    async fn takes_referrers_first(&self, subject: &Digest) -> Result<bool, StoreError> {
        let repository = self.writable().await?;
        Ok(referrers::surely_has_no_api(&repository, subject).await?)
    }

    /// Runs the checks that the push has left for its end.
    async fn finish(&self) -> Result<(), StoreError> {
        if let Some(unsettled) = self.unsettled() {
            unsettled.settle().await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Mount for Repository {
    async fn mount_blob(
        &self,
        descriptor: &Descriptor,
        from: &str,
        source: &dyn Source,
    ) -> Result<Stored, StoreError> {
        Ok(self.store_blob(descriptor, Some(from), source).await?)
    }
}

impl Repository {
    /// Stores a blob, and makes sure that the registry has it afterwards. If the push
    /// [checks last](Self::checking_last) and the registry has confirmed the digest, this is done before the next tag moves.
    pub(super) async fn store_blob(
        &self,
        blob: &Descriptor,
        from: Option<&str>,
        source: &dyn Source,
    ) -> Result<Stored, Error> {
        let repository = self.writable().await?;
        let (stored, check) = upload::store_blob(&repository, blob, from, source).await?;
        self.check(&repository, blob, check).await?;
        Ok(stored)
    }

    /// Checks content now, or adds the check to those that the push makes later.
    async fn check(
        &self,
        repository: &RepositoryEndpoint,
        content: &Descriptor,
        check: Check,
    ) -> Result<(), Error> {
        match (check, self.unsettled()) {
            (Check::Done, _) => {}
            (Check::Later, Some(unsettled)) => unsettled.add_stored(repository, content),
            (Check::Later | Check::Now, _) => upload::check_stored(repository, content).await?,
        }
        Ok(())
    }

    /// Removes the tag. A tag that does not exist is not an error.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the registry cannot remove a tag without its manifest, such as `registry:2`; and the
    /// errors of any request to a registry.
    pub(crate) async fn delete_tag(&self, tag: &str) -> Result<(), StoreError> {
        let repository = self.writable().await?;
        let deleted = repository.delete_tag(tag).await;
        Ok(ensure_deleted(deleted, repository.resolve_name(tag)).await?)
    }
}

#[async_trait]
impl Delete for Repository {
    /// Deletes the manifest and the tags that name it. The registry keeps the blobs until its garbage collection.
    ///
    /// Manifests are deleted by digest, because only registries of the OCI distribution specification 1.1 delete a tag
    /// by its name, and `registry:2` does not. A manifest with a subject is removed from the list of the subject's
    /// referrers.
    async fn delete_manifest(&self, digest: &Digest) -> Result<(), StoreError> {
        let repository = self.writable().await?;
        let declared = match repository.manifest(&digest.to_string()).await {
            Ok((_, bytes)) => Declaration::of(&bytes),
            // A manifest that cannot be read can still be deleted.
            Err(error) if error.kind() != ErrorKind::Unavailable => None,
            Err(error) => return Err(error.into()),
        };
        self.delete_by_digest(&repository, digest).await?;
        if let Some(declared) = declared {
            ensure_unlisted(&repository, &declared.subject, digest).await?;
        }
        Ok(())
    }
}

impl Repository {
    /// Deletes a manifest and the tags that name it. It stays on the list of its subject's referrers, because the
    /// caller deletes the list too.
    pub(crate) async fn delete_attached(&self, digest: &Digest) -> Result<(), StoreError> {
        let repository = self.writable().await?;
        Ok(self.delete_by_digest(&repository, digest).await?)
    }

    async fn delete_by_digest(
        &self,
        repository: &RepositoryEndpoint,
        digest: &Digest,
    ) -> Result<(), Error> {
        let deleted = repository.delete_manifest(digest).await;
        ensure_deleted(deleted, repository.manifest(&digest.to_string())).await
    }
}

/// Returns the result of a deletion. `deleted` is the answer of the registry, and `look` looks for the content, if the
/// registry answered 404. Content that does not exist is not an error.
async fn ensure_deleted<T>(
    deleted: Result<(), Error>,
    look: impl Future<Output = Result<T, Error>>,
) -> Result<(), Error> {
    let (what, registry, answer) = match deleted {
        Err(Error::NotFound {
            what,
            registry,
            answer,
        }) => (what, registry, answer),
        deleted => return deleted,
    };
    // Either the content does not exist, or the registry does not support this request.
    match look.await {
        Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::Refused {
            what,
            registry,
            answer,
        }),
    }
}
