//! Where content comes from: a reference, the store that it is in, and the cache before that.

use bytes::Bytes;

use crate::cache::Held;
use crate::content::{Content, Descriptor, ReadStorage, Step};
use crate::oci::{MANIFEST_LIMIT, Reference};

use super::super::client::Client;
use super::super::error::Error;
use super::super::metered::MeteredSource;
use super::super::options::PullPolicy;
use super::manifest::{held, manifest_bytes};

/// The store that a reference is in, behind the cache of a client.
pub(super) struct Origin {
    pub(super) client: Client,
    pub(super) reference: Reference,
    pub(super) store: Box<dyn ReadStorage>,
}

impl Origin {
    /// Returns content in the cache, and whether it was downloaded for this call. The download is the
    /// step `step` of the progress. Manifests are no step.
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
        let held = match step {
            None => cache.receive(descriptor, &content).await?,
            Some(step) => {
                let progress = self.client.progress.as_ref();
                let content = MeteredSource::new(&content, descriptor, step, progress);
                cache.receive(descriptor, &content).await?
            }
        };
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
