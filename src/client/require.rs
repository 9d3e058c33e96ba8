//! What an operation requires of a reference.

use crate::content::{Digest, ManifestName};
use crate::oci::Reference;

use super::error::Error;

/// Returns the tag or the digest of `reference`, which must have one.
pub(super) fn require_name(reference: &Reference) -> Result<ManifestName, Error> {
    let name = reference.name();
    name.ok_or_else(|| Error::Unnamed(reference.to_string()))
}

/// Refuses a `reference` that names the digest `actual` when another one is expected.
pub(super) fn require_digest(
    reference: &Reference,
    expected: Option<&Digest>,
    actual: &Digest,
) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != actual => Err(Error::OtherDigest {
            reference: reference.to_string(),
            expected: expected.clone(),
            actual: actual.clone(),
        }),
        _ => Ok(()),
    }
}
