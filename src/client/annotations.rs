//! The annotations of a manifest that let one executable be fetched without the archive.
//!
//! The digest of a manifest covers its annotations, so whoever pins one pins them too. Older tools
//! and hosts pass over them.

use std::collections::BTreeMap;

use data_encoding::BASE64;

use crate::archive::{self, Index, UnverifiedClaims, VerifiedClaims};
use crate::oci::{Artifact, Reference};

use super::error::Error;

/// The index of the archive: [`Index::encode`] in base64, with padding.
const INDEX: &str = "com.wasmcloud.par.index";
/// The signed token of the archive, as it is.
const CLAIMS: &str = "com.wasmcloud.par.claims";

/// The longest of ours that is written, in bytes. It would make every request for the manifest slower,
/// and some registries take no manifests of several hundred KiB.
const LONGEST: usize = 64 * 1024;

/// Refuses annotations that are ours to write.
///
/// # Errors
///
/// [`Error::ReservedAnnotation`].
pub(super) fn check(annotations: &BTreeMap<String, String>) -> Result<(), Error> {
    let mut ours = [INDEX, CLAIMS].into_iter();
    match ours.find(|name| annotations.contains_key(*name)) {
        Some(name) => Err(Error::ReservedAnnotation(name)),
        None => Ok(()),
    }
}

/// Adds to `theirs` what lets the executables of an archive with these claims and this index be fetched
/// one by one. The same archive gives the same annotations.
pub(super) fn complete(
    theirs: &BTreeMap<String, String>,
    claims: &VerifiedClaims,
    index: Option<&Index>,
) -> BTreeMap<String, String> {
    let mut annotations = theirs.clone();
    let index = index.and_then(Index::encode);
    let ours = [
        (INDEX, index.map(|index| BASE64.encode(&index))),
        (CLAIMS, Some(claims.token().to_owned())),
    ];
    for (name, value) in ours {
        if let Some(value) = value.filter(|value| value.len() <= LONGEST) {
            annotations.insert(name.to_owned(), value);
        }
    }
    annotations
}

/// The index that the manifest carries, if it can be made sense of.
pub(super) fn index(artifact: &Artifact) -> Option<Index> {
    let text = artifact.annotations().get(INDEX)?;
    Index::decode(&BASE64.decode(text.as_bytes()).ok()?)
}

/// The claims that the manifest carries, verified; `None` when it carries none.
///
/// # Errors
///
/// Whatever keeps them from being verified.
pub(super) fn claims(artifact: &Artifact) -> Option<Result<VerifiedClaims, archive::Error>> {
    let token = artifact.annotations().get(CLAIMS)?;
    Some(UnverifiedClaims::decode(token).and_then(UnverifiedClaims::verify))
}

/// Refuses an archive whose manifest carries other claims of a publisher: who fetches one executable by
/// them, and who reads the whole archive, would get two things under one digest, such as a release and the
/// one before it. Nobody pushes that by mistake. Claims that nobody has signed are only warned about.
///
/// # Errors
///
/// [`Error::OtherClaims`].
pub(super) fn compare(
    artifact: &Artifact,
    claims: &VerifiedClaims,
    reference: &Reference,
) -> Result<(), Error> {
    let carried = artifact.annotations().get(CLAIMS);
    if carried.is_none_or(|carried| carried.trim() == claims.token()) {
        return Ok(());
    }
    match self::claims(artifact) {
        None | Some(Ok(_) | Err(archive::Error::Expired(_) | archive::Error::NotYetValid(_))) => {
            Err(Error::OtherClaims(reference.to_string()))
        }
        Some(Err(error)) => {
            tracing::warn!("the claims that the manifest of {reference} carries are none: {error}");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_cannot_be_set_by_others() {
        let annotations = |name: &str| BTreeMap::from([(name.to_owned(), "x".to_owned())]);
        assert!(check(&annotations("org.opencontainers.image.source")).is_ok());
        for name in [INDEX, CLAIMS] {
            let error = check(&annotations(name)).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
