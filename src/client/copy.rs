//! The one motion: content from a store to a store.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use crate::content::{
    Descriptor, Meter, MeteredReader, Progress, Reader, Source, Step, Store, StoreError,
};

/// Copies the content of `descriptor` from `source` to `store`, unless it is there.
pub(super) async fn copy(
    source: &dyn Source,
    store: &dyn Store,
    descriptor: &Descriptor,
    step: Step,
    progress: &dyn Progress,
) -> Result<(), StoreError> {
    let source = metered(source, descriptor, step, progress);
    store.put(descriptor, &source).await
}

/// The content of `descriptor`, watched while it is read.
pub(super) fn metered<'a>(
    source: &'a dyn Source,
    descriptor: &Descriptor,
    step: Step,
    progress: &dyn Progress,
) -> Metered<'a> {
    Metered {
        source,
        meter: Arc::from(progress.begin(step, descriptor.size)),
        furthest: Arc::default(),
    }
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

/// A source that is watched. What is read again, because a transfer broke off, counts once.
pub(super) struct Metered<'a> {
    source: &'a dyn Source,
    meter: Arc<dyn Meter>,
    furthest: Arc<AtomicU64>,
}

#[async_trait]
impl Source for Metered<'_> {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let reader = self.source.open(offset).await?;
        let meter: Arc<dyn Meter> = Arc::new(Advance {
            meter: Arc::clone(&self.meter),
            position: AtomicU64::new(offset),
            furthest: Arc::clone(&self.furthest),
        });
        Ok(Box::new(MeteredReader::new(reader, meter)))
    }

    fn place(&self) -> Option<String> {
        self.source.place()
    }
}

/// Passes on by how much a reader has come further than any before it.
struct Advance {
    meter: Arc<dyn Meter>,
    position: AtomicU64,
    furthest: Arc<AtomicU64>,
}

impl Meter for Advance {
    fn advance(&self, bytes: u64) -> io::Result<()> {
        let position = self.position.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let before = self.furthest.fetch_max(position, Ordering::Relaxed);
        self.meter.advance(position.saturating_sub(before))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Counted(Mutex<Vec<u64>>);

    impl Meter for Counted {
        fn advance(&self, bytes: u64) -> io::Result<()> {
            self.0.lock().unwrap().push(bytes);
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_is_read_again_counts_once() {
        use tokio::io::AsyncReadExt;

        let content = bytes::Bytes::from_static(b"content");
        let meter = Arc::new(Counted::default());
        let source = Metered {
            source: &content,
            meter: meter.clone(),
            furthest: Arc::default(),
        };
        for (offset, count) in [(0, 4), (2, 3), (5, 2)] {
            let mut reader = source.open(offset).await.unwrap();
            reader.read_exact(&mut vec![0; count]).await.unwrap();
        }
        assert_eq!(*meter.0.lock().unwrap(), [4, 1, 2]);
    }
}
