//! A repository as a store for blobs and manifests.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use crate::content::{Descriptor, Reader, Source, Store, StoreError};

use super::repository::Repository;
use super::upload;

#[async_trait]
impl Store for Repository {
    async fn exists(&self, descriptor: &Descriptor) -> Result<bool, StoreError> {
        Ok(self.has(descriptor).await?)
    }

    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        Ok(self.download(descriptor, range).await?)
    }

    async fn put(&self, descriptor: &Descriptor, source: &dyn Source) -> Result<(), StoreError> {
        Ok(self.upload(descriptor, source).await?)
    }

    async fn resolve(&self, name: &str) -> Result<Descriptor, StoreError> {
        Ok(self.resolve_name(name).await?)
    }

    async fn resolve_and_open(
        &self,
        name: &str,
    ) -> Result<(Descriptor, Option<Bytes>), StoreError> {
        let (descriptor, bytes) = self.manifest(name).await?;
        Ok((descriptor, Some(bytes)))
    }

    /// Reads the manifest and sends it again under `name`: registries have no other way.
    /// [`Repository::push_manifest`] sends it once.
    async fn tag(&self, descriptor: &Descriptor, name: &str) -> Result<(), StoreError> {
        let repository = self.writable().await?;
        let (_, bytes) = repository.manifest(&descriptor.digest.to_string()).await?;
        Ok(upload::send_manifest(&repository, descriptor, bytes, name).await?)
    }

    fn place(&self) -> Option<String> {
        Some(self.location())
    }
}
