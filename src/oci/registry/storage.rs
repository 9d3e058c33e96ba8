//! A repository as a store for blobs and manifests.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use crate::content::{Descriptor, Reader, Source, Store, StoreError};

use super::super::hosts::Capability;
use super::Repository;
use super::hosted::HostedRepository;
use super::transport::Scope;

#[async_trait]
impl Store for Repository {
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

    /// Sends the manifest, which the repository must hold, again under its new name: registries know
    /// no other way. [`Repository::push_manifest`] saves the detour when the bytes are at hand.
    async fn tag(&self, descriptor: &Descriptor, name: &str) -> Result<(), StoreError> {
        let host = self.writable().await?;
        let (_, bytes) = host.manifest(&descriptor.digest.to_string()).await?;
        Ok(host.send_manifest(descriptor, bytes, name).await?)
    }

    fn place(&self) -> Option<String> {
        Some(self.location())
    }
}
