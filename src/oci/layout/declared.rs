//! What the manifests of a layout declare about themselves, read once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::content::{Digest, Referrer};

/// The most manifests that are remembered.
const MOST: usize = 100_000;

/// Remembers what manifests declare, by their digests. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Declared(Arc<Mutex<HashMap<Digest, Option<Arc<(Digest, Referrer)>>>>>);

impl Declared {
    /// Returns the subject of the manifest `digest` and its description as a referrer, or `None` when it has no subject.
    /// `read` reads it.
    pub(super) fn get<E>(
        &self,
        digest: &Digest,
        read: impl FnOnce() -> Result<Option<(Digest, Referrer)>, E>,
    ) -> Result<Option<Arc<(Digest, Referrer)>>, E> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(declared) = known().get(digest) {
            return Ok(declared.clone());
        }
        let declared = read()?.map(Arc::new);
        let mut known = known();
        if known.len() < MOST {
            known.insert(digest.clone(), declared.clone());
        }
        Ok(declared)
    }
}
