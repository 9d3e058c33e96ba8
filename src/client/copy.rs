//! The one motion: content from a store to a store.

use std::sync::Arc;

use async_trait::async_trait;

use crate::content::{
    Descriptor, Meter, MeteredReader, Progress, Reader, Source, Store, StoreError,
};

/// Copies the content of `descriptor` from `source` to `store`, unless it is there.
pub(super) async fn copy(
    source: &dyn Source,
    store: &dyn Store,
    descriptor: &Descriptor,
    label: &str,
    progress: &dyn Progress,
) -> Result<(), StoreError> {
    let source = Metered {
        source,
        meter: Arc::from(progress.begin(label, descriptor.size)),
    };
    store.put(descriptor, &source).await
}

/// The content of a descriptor in a store, as a source for another store.
pub(super) struct Content<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) descriptor: &'a Descriptor,
}

#[async_trait]
impl Source for Content<'_> {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let size = self.descriptor.size;
        match offset {
            0 => self.store.open(self.descriptor, None).await,
            // A range that starts at the end is answered with nonsense by some registries.
            _ if offset >= size => Ok(Box::new(tokio::io::empty())),
            _ => self.store.open(self.descriptor, Some(offset..size)).await,
        }
    }

    fn place(&self) -> Option<String> {
        self.store.place()
    }
}

struct Metered<'a> {
    source: &'a dyn Source,
    meter: Arc<dyn Meter>,
}

#[async_trait]
impl Source for Metered<'_> {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let reader = self.source.open(offset).await?;
        Ok(Box::new(MeteredReader::new(
            reader,
            Arc::clone(&self.meter),
        )))
    }

    fn place(&self) -> Option<String> {
        self.source.place()
    }
}
