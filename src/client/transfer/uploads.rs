//! Remembering open uploads in the cache.

use crate::content::{Digest, UploadSlot, Uploads};

use super::super::client::Client;

/// Remembers uploads in the cache of a client. Without a cache, nothing is remembered.
pub(in crate::client) struct CachedUploads(pub(in crate::client) Client);

impl Uploads for CachedUploads {
    fn slot(&self, repository: &str, content: &Digest) -> Option<Box<dyn UploadSlot>> {
        let cache = self.0.cache();
        let slot = cache.and_then(|cache| Ok(cache.upload(repository, content)?));
        match slot {
            Ok(slot) => slot.map(|slot| Box::new(slot) as _),
            Err(error) => {
                tracing::debug!(%error, "uploads are not remembered");
                None
            }
        }
    }
}
