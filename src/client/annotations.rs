//! The annotations of a manifest that let one executable be fetched without the archive.
//!
//! The digest of a manifest covers its annotations, so a pinned manifest pins them too. Older tools and
//! hosts ignore them.

use std::collections::BTreeMap;

use data_encoding::BASE64;

use crate::archive::{self, Dates, Index, UnverifiedClaims, VerifiedClaims};
use crate::oci::{Artifact, Reference};

use super::error::Error;

/// The index of the archive: [`Index::encode`] in base64, with padding.
const INDEX: &str = "com.wasmcloud.par.index";
/// The signed token of the archive, unchanged.
const CLAIMS: &str = "com.wasmcloud.par.claims";

/// The longest annotation that is written, in bytes. A longer one would make each request for the
/// manifest slower, and some registries refuse manifests of several hundred KiB.
const LONGEST: usize = 64 * 1024;

/// Refuses annotations with the names that a push writes itself.
pub(super) fn check(annotations: &BTreeMap<String, String>) -> Result<(), Error> {
    let mut ours = [INDEX, CLAIMS].into_iter();
    let reserved = ours.find(|name| annotations.contains_key(*name));
    reserved.map_or(Ok(()), |name| Err(Error::ReservedAnnotation(name)))
}

/// Returns the annotations `theirs` with those that let the executables of an archive be fetched one by
/// one: its claims and its index. An archive always gives the same annotations.
pub(super) fn complete(
    theirs: &BTreeMap<String, String>,
    claims: &VerifiedClaims,
    index: Option<&Index>,
) -> BTreeMap<String, String> {
    let mut annotations = theirs.clone();
    let index = index.and_then(Index::encode);
    let index = index.map(|index| (INDEX, BASE64.encode(&index)));
    let ours = index
        .into_iter()
        .chain([(CLAIMS, claims.token().to_owned())]);
    let ours = ours.filter(|(_, value)| value.len() <= LONGEST);
    annotations.extend(ours.map(|(name, value)| (name.to_owned(), value)));
    annotations
}

/// Returns the index in the manifest, if there is one that can be decoded.
pub(super) fn index(artifact: &Artifact) -> Option<Index> {
    let text = artifact.annotations().get(INDEX)?;
    Index::decode(&BASE64.decode(text.as_bytes()).ok()?)
}

/// Whether the manifest carries these claims.
pub(super) fn carries(artifact: &Artifact, claims: &VerifiedClaims) -> bool {
    let token = artifact.annotations().get(CLAIMS);
    token.is_some_and(|token| token.trim() == claims.token())
}

/// Returns the verified claims in the manifest, or `None` for a manifest without claims.
pub(super) fn claims(
    artifact: &Artifact,
    dates: Dates,
) -> Option<Result<VerifiedClaims, archive::Error>> {
    let token = artifact.annotations().get(CLAIMS)?;
    let claims = UnverifiedClaims::decode(token);
    Some(claims.and_then(|claims| claims.verify_with(dates)))
}

/// Refuses an archive whose manifest carries other claims that a publisher has signed. A fetch of one
/// executable and a read of the whole archive would give different content under one digest, such as a
/// release and the one before it. Such a manifest is not made by mistake. Claims that do not verify are
/// ignored with a warning.
pub(super) fn compare(
    artifact: &Artifact,
    claims: &VerifiedClaims,
    reference: &Reference,
) -> Result<(), Error> {
    let carried = artifact.annotations().get(CLAIMS);
    if carried.is_none_or(|carried| carried.trim() == claims.token()) {
        return Ok(());
    }
    match self::claims(artifact, Dates::Valid) {
        None | Some(Ok(_) | Err(archive::Error::Expired(_) | archive::Error::NotYetValid(_))) => {
            Err(Error::OtherClaims(reference.to_string()))
        }
        Some(Err(error)) => {
            tracing::warn!(
                "ignoring the claims in the manifest of {reference}: they do not verify: {error}"
            );
            Ok(())
        }
    }
}

#[cfg(test)]
#[path = "tests/annotations.rs"]
mod tests;
