//! Content that a registry can mount from another repository.

use async_trait::async_trait;
use bytes::Bytes;
use wasmcloud_par::content::{Reader, Source, StoreError};

/// Content that is also in another repository.
pub(crate) struct Elsewhere {
    pub(crate) content: Bytes,
    pub(crate) place: String,
}

#[async_trait]
impl Source for Elsewhere {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        self.content.open(offset).await
    }

    fn place(&self) -> Option<String> {
        Some(self.place.clone())
    }
}
