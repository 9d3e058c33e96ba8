//! The storage that a reference is in.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::content::{
    Content, Descriptor, Digest, ErrorKind, Fetch, ManifestName, ReadStorage, Reader, Resolve,
    Source, StoreError,
};
use crate::oci::{Artifact, Reference, read_manifest};

use super::super::client::Client;
use super::super::error::Error;
use super::super::options::PullPolicy;
use super::super::transfer::CachedUploads;
use super::layouts::{Storage, open_layout, open_or_create_layout, read_layout};
use super::manifest::cached_manifest;
use super::record::usable_record;

/// The tag that usually moves with each release.
pub(in crate::client) const LATEST: &str = "latest";

/// Returns the storage that `reference` is read from. With [`PullPolicy::Never`] that is the cache.
pub(in crate::client) async fn read_storage(
    client: &Client,
    reference: &Reference,
) -> Result<Box<dyn ReadStorage>, Error> {
    check_allowed(client, reference)?;
    if client.pull == PullPolicy::Never {
        return Ok(Box::new(CachedPlace {
            client: client.clone(),
            reference: reference.clone(),
        }));
    }
    Ok(match reference {
        Reference::Registry(place) => Box::new(client.registries.repository(place)),
        Reference::Layout(place) => read_layout(client, place).await?,
    })
}

/// Refuses the tag `latest` of a registry whose settings do not allow it.
pub(in crate::client) fn check_allowed(
    client: &Client,
    reference: &Reference,
) -> Result<(), Error> {
    match reference {
        Reference::Registry(place)
            if place.digest().is_none()
                && place.tag() == Some(LATEST)
                && client.registries.allows_latest(place.registry()) == Some(false) =>
        {
            Err(Error::LatestRefused(reference.to_string()))
        }
        _ => Ok(()),
    }
}

/// Returns the storage of `reference` for pushing, and for reading what is there. Mirrors are not asked, because they may
/// be out of date. Creates an image layout that does not exist. The caller finishes the push.
pub(in crate::client) async fn push_storage(
    client: &Client,
    reference: &Reference,
) -> Result<Box<dyn Storage>, Error> {
    Ok(match reference {
        Reference::Registry(place) => {
            let uploads = Arc::new(CachedUploads(client.clone()));
            let repository = client.registries.repository(place).without_mirrors();
            Box::new(repository.remembering(uploads).checking_last())
        }
        Reference::Layout(place) => open_or_create_layout(place).await?,
    })
}

/// Returns `reference` with a name. A reference to an image layout without a name means the only manifest there.
pub(in crate::client) async fn named(reference: &Reference) -> Result<Cow<'_, Reference>, Error> {
    match reference {
        Reference::Layout(place) if reference.name().is_none() => {
            let only = open_layout(place).await?.only().await?;
            Ok(Cow::Owned(reference.with_digest(only.digest)))
        }
        _ => Ok(Cow::Borrowed(reference)),
    }
}

/// The content of one repository or image layout that is in the cache. Only the cache is read.
struct CachedPlace {
    client: Client,
    reference: Reference,
}

impl CachedPlace {
    fn not_cached(&self) -> StoreError {
        let error = Error::NotCached(self.reference.to_string());
        StoreError::new(ErrorKind::NotFound, error)
    }
}

#[async_trait]
impl Fetch for CachedPlace {
    async fn open(
        &self,
        descriptor: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, StoreError> {
        // All provider archives have the same config, which the cache does not hold.
        let config = Bytes::from_static(Artifact::CONFIG_BODY);
        if range.is_none() && descriptor.digest == Digest::of(&config) {
            return config.open(0).await;
        }
        let cache = self.client.cache().map_err(other)?;
        match cache.open(descriptor, range).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(self.not_cached()),
            opened => opened,
        }
    }
}

#[async_trait]
impl Resolve for CachedPlace {
    async fn resolve(&self, name: &ManifestName) -> Result<Descriptor, StoreError> {
        let found = match name {
            ManifestName::Digest(digest) => cached_manifest(&self.client, digest).await,
            ManifestName::Tag(tag) => {
                let name = self.reference.with_name(tag);
                let record = usable_record(&self.client, &name).await;
                record.map(|record| record.map(|record| record.descriptor))
            }
        };
        let found = found.map_err(other)?;
        let found = found.ok_or_else(|| self.not_cached())?;
        self.client.registries.note_cached(false);
        Ok(found)
    }

    async fn fetch_manifest(&self, name: &ManifestName) -> Result<(Descriptor, Bytes), StoreError> {
        let descriptor = self.resolve(name).await?;
        let bytes = read_manifest(&descriptor, &Content::new(self, &descriptor)).await?;
        Ok((descriptor, bytes))
    }
}

fn other(error: Error) -> StoreError {
    StoreError::new(error.kind(), error)
}
