//! Remembering the address of an upload until the blob is complete, so that another process can continue it.

use std::sync::Arc;

use reqwest::Url;

use crate::content::{Descriptor, UploadSlot, blocking};
use crate::oci::error::Error;

use super::super::repository_endpoint::RepositoryEndpoint;

/// The smallest blob whose upload is remembered, in bytes. Smaller blobs are sent again from their start.
const SMALLEST: u64 = 4 * 1024 * 1024;

/// The record of the upload of one blob, if there is one.
#[derive(Default)]
pub(super) struct Kept {
    slot: Option<Arc<dyn UploadSlot>>,
}

impl Kept {
    /// Finds the record of an upload of `content` to `repository`.
    pub(super) async fn find(repository: &RepositoryEndpoint, content: &Descriptor) -> Self {
        let Some(uploads) = repository.uploads.clone() else {
            return Self::default();
        };
        if content.size < SMALLEST {
            return Self::default();
        }
        let (place, digest) = (repository.location(), content.digest.clone());
        let slot = blocking(move || Ok::<_, Error>(uploads.slot(&place, &digest))).await;
        Self {
            slot: slot.ok().flatten().map(Arc::from),
        }
    }

    /// Remembers the address of a session.
    pub(super) async fn remember(&self, url: &Url) {
        let url = url.to_string();
        self.with_slot(move |slot| slot.remember(&url)).await;
    }

    /// Forgets the address.
    pub(super) async fn forget(&self) {
        self.with_slot(|slot| slot.forget()).await;
    }

    /// Returns the address of the session of an earlier upload.
    pub(super) async fn address(&self) -> Option<String> {
        self.with_slot(|slot| slot.address()).await.flatten()
    }

    async fn with_slot<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn UploadSlot) -> T + Send + 'static,
    ) -> Option<T> {
        let slot = Arc::clone(self.slot.as_ref()?);
        let work = blocking(move || Ok::<_, Error>(work(slot.as_ref())));
        work.await.ok()
    }
}
