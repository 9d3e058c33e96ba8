//! Which manifest each name of a mirror is given to in one run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::content::Digest;
use crate::oci::Reference;

use super::super::error::Error;

/// The manifests that tags of the mirror are given to. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct ClaimedNames(Arc<Mutex<HashMap<String, Digest>>>);

impl ClaimedNames {
    /// Gives the name of `reference` in the mirror to the manifest `digest`.
    ///
    /// # Errors
    ///
    /// [`Error::MirrorName`] when another manifest of the same run has the name, as for `provider:1.0@sha256:…` twice, with
    /// two digests.
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
