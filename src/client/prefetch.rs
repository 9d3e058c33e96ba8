//! Prefetch: many references at once, before any of them is needed.

use std::num::NonZeroUsize;

use futures_util::{StreamExt, stream};

use crate::archive::Target;
use crate::oci::Reference;

use super::Client;
use super::error::Error;
use super::fetch::Fetched;

impl Client {
    /// [Fetches](Self::fetch) the executables for `target` of all `references`, at most `at_once` at the
    /// same time. What one comes to does not concern the others: there is an outcome for each, in their
    /// order.
    ///
    /// Dropping the future stops what has not been fetched yet. What has been stays in the cache.
    pub async fn prefetch(
        &self,
        references: &[Reference],
        target: &Target,
        at_once: NonZeroUsize,
    ) -> Vec<Result<Fetched, Error>> {
        let fetches = references
            .iter()
            .map(|reference| self.fetch(reference, target));
        // Collected first: a stream that still has the closure in it cannot be sent to another thread.
        let fetches: Vec<_> = fetches.collect();
        stream::iter(fetches)
            .buffered(at_once.get())
            .collect()
            .await
    }
}
