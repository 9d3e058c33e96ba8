//! A repository as storage.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Method;

use crate::content::{
    Delete, Descriptor, Digest, Fetch, ManifestName, Mount, Push, Reader, Resolve, Source,
    StoreError,
};

use super::super::error::Error;
use super::super::hosts::Capability;
use super::Repository;
use super::hosted::HostedRepository;
use super::transport::Scope;

#[async_trait]
impl Fetch for Repository {
    async fn exists(&self, descriptor: &Descriptor) -> Result<bool, StoreError> {
        let hosts = self.readable(Capability::Pull).await?;
        let has = async |host: HostedRepository| host.has(descriptor, Scope::PULL).await;
        Ok(hosts.first(has, |there| *there).await?)
    }

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
}

#[async_trait]
impl Push for Repository {
    async fn put_blob(
        &self,
        descriptor: &Descriptor,
        source: &dyn Source,
    ) -> Result<(), StoreError> {
        let host = self.writable().await?;
        Ok(host.upload_blob(descriptor, None, source).await?)
    }

    /// Stores a manifest with one PUT, and compares what the registry holds then.
    ///
    /// A registry that refuses to move a tag which already names this manifest has done its work.
    async fn put_manifest(
        &self,
        descriptor: &Descriptor,
        bytes: &Bytes,
        tag: Option<&str>,
    ) -> Result<(), StoreError> {
        let host = self.writable().await?;
        Ok(host.upload_manifest(descriptor, bytes, tag).await?)
    }

    fn as_mount(&self) -> Option<&dyn Mount> {
        Some(self)
    }
}

#[async_trait]
impl Mount for Repository {
    async fn mount_blob(
        &self,
        descriptor: &Descriptor,
        from: &str,
        source: &dyn Source,
    ) -> Result<(), StoreError> {
        let host = self.writable().await?;
        Ok(host.upload_blob(descriptor, Some(from), source).await?)
    }
}

#[async_trait]
impl Delete for Repository {
    /// Deletes the manifest and the tags that name it. The registry keeps the blobs until it
    /// collects them.
    ///
    /// Only registries of the OCI distribution specification 1.1 delete a tag by its name, and
    /// `registry:2` does not; so manifests are deleted by digest.
    async fn delete_manifest(&self, digest: &Digest) -> Result<(), StoreError> {
        let host = self.writable().await?;
        let call = host.manifest_call(Method::DELETE, &digest.to_string(), Scope::DELETE)?;
        match host.transport.send(&call).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
