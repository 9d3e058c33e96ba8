//! The subjects and descriptions of the manifests of a layout. Each manifest is read only once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::content::{Digest, Referrer};

/// The most manifests that are remembered.
const MOST: usize = 100_000;

/// The subject of a manifest and its description as a referrer. `None` when it has no subject.
pub(super) type Declares = Option<Arc<(Digest, Referrer)>>;

/// Remembers the subjects and descriptions of manifests, by their digests. Clones share the memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared(Arc<Mutex<HashMap<Digest, Declares>>>);

impl Declared {
    /// Returns the subject and the description of the manifest `digest`. Calls `read` if they are not remembered.
    pub(super) fn get<E>(
        &self,
        digest: &Digest,
        read: impl FnOnce() -> Result<Option<(Digest, Referrer)>, E>,
    ) -> Result<Declares, E> {
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
