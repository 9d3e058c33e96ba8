//! How many attachments are copied, compared and deleted with a manifest.
//!
//! The limits are in one place, so that whatever was copied can also be compared and deleted.

use std::collections::HashSet;

use crate::content::Digest;
use crate::oci::Reference;

use super::super::error::Error;
use super::reader::AttachedManifest;

/// How many attachments may be listed, on all levels together.
const MOST: usize = 10_000;
/// How many levels of attachments may be below the root manifest. The attachments of the root are the first level, and
/// their attachments are the second one.
const DEEPEST: usize = 16;

/// The attachments that were found below one root manifest. Accepts no more than the limits allow.
pub(in crate::client) struct AttachedBounds<'a> {
    /// The reference of the root manifest, for the error.
    reference: &'a Reference,
    /// The attachments that were found. The text is the tag of an attachment, or else its subject.
    seen: HashSet<(String, Digest)>,
}

impl<'a> AttachedBounds<'a> {
    pub(in crate::client) fn new(reference: &'a Reference) -> Self {
        Self {
            reference,
            seen: HashSet::new(),
        }
    }

    /// Notes that `attached` is listed for `subject`, before it is read. `level` is 1 for the attachments of the root
    /// manifest. Returns whether it was not noted before.
    ///
    /// A manifest that turns out to be no attachment counts, too: the limits are also about how much is read.
    ///
    /// # Errors
    ///
    /// [`Error::TooMuchAttached`] if this attachment is beyond a limit.
    pub(in crate::client) fn note(
        &mut self,
        attached: &AttachedManifest,
        subject: &Digest,
        level: usize,
    ) -> Result<bool, Error> {
        let listed_by = match attached {
            AttachedManifest::Referrer(_) => subject.to_string(),
            AttachedManifest::Tagged(tag, _) => tag.clone(),
        };
        if !self.seen.insert((listed_by, attached.digest().clone())) {
            return Ok(false);
        }
        if self.seen.len() > MOST || level > DEEPEST {
            return Err(Error::TooMuchAttached {
                reference: self.reference.to_string(),
                most: MOST,
                deepest: DEEPEST,
            });
        }
        Ok(true)
    }
}

#[cfg(test)]
#[path = "tests/bounds.rs"]
mod tests;
