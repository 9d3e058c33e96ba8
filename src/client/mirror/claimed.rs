//! The names in a mirror that one run has given to manifests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::content::Digest;
use crate::oci::Reference;

use super::super::error::Error;

/// Each name in the mirror that this run uses, with the digest of its manifest. Clones share the names.
#[derive(Debug, Clone, Default)]
pub(super) struct ClaimedNames(Arc<Mutex<HashMap<String, Digest>>>);

impl ClaimedNames {
    /// Records that this run gives the tag of `reference` to the manifest `digest`.
    ///
    /// # Errors
    ///
    /// [`Error::MirrorName`] when this run has given the tag to another manifest. An example is a list with
    /// `provider:1.0@sha256:…` twice, with two digests.
    pub(super) fn claim(&self, reference: &Reference, digest: &Digest) -> Result<(), Error> {
        let Reference::Registry(place) = reference else {
            return Ok(());
        };
        let Some(tag) = place.tag() else {
            return Ok(());
        };
        let name = format!("{}/{}:{tag}", place.registry(), place.repository());
        let mut claimed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = claimed.entry(name).or_insert_with(|| digest.clone());
        if first == digest {
            return Ok(());
        }
        Err(Error::MirrorName {
            reference: reference.to_string(),
            reason: format!("its name in the mirror is that of {first}, which is mirrored too"),
        })
    }
}
