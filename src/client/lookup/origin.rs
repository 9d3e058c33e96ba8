//! Content of a reference, from the cache or else from the store of the reference.

use bytes::Bytes;

use crate::cache::Held;
use crate::content::{Content, Descriptor, ReadStorage, Step};
use crate::oci::{MANIFEST_LIMIT, Reference};

use super::super::client::Client;
use super::super::error::Error;
use super::super::options::PullPolicy;
use super::super::transfer::MeteredSource;
use super::manifest::{held, manifest_bytes};

/// The store that a reference is in, and the client whose cache is asked first.
pub(super) struct Origin {
    pub(super) client: Client,
    pub(super) reference: Reference,
    pub(super) store: Box<dyn ReadStorage>,
}

impl Origin {
    /// Downloads content into the cache unless it is there. Returns the content, and whether it was downloaded. A
    /// download is reported as the step `step` of the progress. The download of a manifest is not reported.
    pub(super) async fn ensure_cached(
        &self,
        descriptor: &Descriptor,
        step: Option<Step>,
    ) -> Result<(Held, bool), Error> {
        if let Some(held) = held(&self.client, &descriptor.digest).await? {
            return Ok((held, false));
        }
        if self.client.pull == PullPolicy::Never {
            return Err(Error::NotCached(self.reference.to_string()));
        }
        let _lock = self.client.content_lock(&descriptor.digest).await;
        let (cache, store) = (self.client.cache()?, self.store.as_ref());
        let content = Content::new(store, descriptor);
        let received = match step {
            None => cache.receive(descriptor, &content).await,
            Some(step) => {
                let progress = self.client.progress.as_ref();
                let content = MeteredSource::new(&content, descriptor, step, progress);
                cache.receive(descriptor, &content).await
            }
        };
        let held = received.map_err(|error| Error::giving(&self.reference)(error.into()))?;
        Ok((held, true))
    }

    /// Returns the bytes of a manifest.
    pub(super) async fn manifest(&self, descriptor: &Descriptor) -> Result<Bytes, Error> {
        if descriptor.size > MANIFEST_LIMIT {
            return Err(Error::ManifestTooLarge {
                reference: self.reference.to_string(),
                size: descriptor.size,
                limit: MANIFEST_LIMIT,
            });
        }
        let (held, _) = self.ensure_cached(descriptor, None).await?;
        manifest_bytes(held).await
    }
}
