//! Showing the progress of a transfer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use crate::content::{
    Descriptor, Meter, MeteredReader, Progress, Reader, Source, Step, StoreError,
};

/// A source that reports how far it was read to a [`Meter`]. Bytes that are read again after an interruption count
/// once.
pub(in crate::client) struct MeteredSource<'a> {
    source: &'a dyn Source,
    meter: Arc<dyn Meter>,
    furthest: Arc<AtomicU64>,
}

impl<'a> MeteredSource<'a> {
    /// Begins a step of `progress` that reads the content of `descriptor`.
    pub(in crate::client) fn new(
        source: &'a dyn Source,
        descriptor: &Descriptor,
        step: Step,
        progress: &dyn Progress,
    ) -> Self {
        Self {
            source,
            meter: Arc::from(progress.begin(step, descriptor.size)),
            furthest: Arc::default(),
        }
    }
}

#[async_trait]
impl Source for MeteredSource<'_> {
    async fn open(&self, offset: u64) -> Result<Reader, StoreError> {
        let reader = self.source.open(offset).await?;
        let meter: Arc<dyn Meter> = Arc::new(Advance {
            meter: Arc::clone(&self.meter),
            position: AtomicU64::new(offset),
            furthest: Arc::clone(&self.furthest),
        });
        Ok(Box::new(MeteredReader::new(reader, meter)))
    }
}

/// Reports to a meter how many bytes a reader has read beyond the furthest position of the readers before it.
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
#[path = "tests/metered.rs"]
mod tests;
