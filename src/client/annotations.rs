//! The annotations of a manifest with which one executable can be fetched without the rest of its archive.
//!
//! The digest of a manifest covers its annotations, so a pinned manifest pins them too. Older tools and
//! hosts ignore them.

use std::collections::BTreeMap;

use data_encoding::BASE64;

use crate::archive::{self, Dates, Index, Rotation, UnverifiedClaims, VerifiedClaims};
use crate::content::with_causes;
use crate::oci::annotation_names::TITLE;
use crate::oci::{Artifact, Reference};

use super::error::Error;

/// The index of the archive: [`Index::encode`] in base64, with padding.
const INDEX: &str = "com.wasmcloud.par.index";
/// The signed token of the archive, unchanged.
const CLAIMS: &str = "com.wasmcloud.par.claims";

/// The vendor of the provider, and its version.
const VENDOR: &str = "org.opencontainers.image.vendor";
const VERSION: &str = "org.opencontainers.image.version";
/// The statement by which a former issuer has handed over to the issuer of the archive.
const ROTATION: &str = "com.wasmcloud.par.rotation";

/// The longest annotation that is written, in bytes. A longer one would make each request for the
/// manifest slower, and some registries refuse manifests of several hundred KiB.
const LONGEST: usize = 64 * 1024;

/// Refuses annotations with the names that a push writes itself.
pub(super) fn check(annotations: &BTreeMap<String, String>) -> Result<(), Error> {
    let mut names = [INDEX, CLAIMS, ROTATION].into_iter();
    let reserved = names.find(|name| annotations.contains_key(*name));
    reserved.map_or(Ok(()), |name| Err(Error::ReservedAnnotation(name)))
}

/// Returns the annotations of the caller and those that `push` adds: the claims, the index, and those of the OCI image
/// specification that the claims give. A value of the caller wins. An archive always gives the same annotations.
pub(super) fn complete(
    given: &BTreeMap<String, String>,
    claims: &VerifiedClaims,
    index: Option<&Index>,
) -> BTreeMap<String, String> {
    let mut annotations = given.clone();
    let index = index.and_then(Index::encode);
    let index = index.map(|index| (INDEX, BASE64.encode(&index)));
    let added = index
        .into_iter()
        .chain([(CLAIMS, claims.token().to_owned())])
        .chain(described(claims));
    for (name, value) in added.filter(|(_, value)| value.len() <= LONGEST) {
        annotations.entry(name.to_owned()).or_insert(value);
    }
    annotations
}

/// Returns the annotations of the OCI image specification ("Pre-Defined Annotation Keys") that the claims give. The
/// annotation for the revision is not among them: it is a revision of the source, and the revision of the claims is a
/// number.
pub(super) fn described(
    claims: &VerifiedClaims,
) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let metadata = claims.metadata();
    let described = [
        (TITLE, metadata.name),
        (VENDOR, Some(metadata.vendor)),
        (VERSION, metadata.version),
    ];
    let described = described
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    described.filter(|(_, value)| !value.is_empty())
}

/// Returns the index in the manifest, if there is one that can be decoded.
pub(super) fn index(artifact: &Artifact) -> Option<Index> {
    let text = artifact.annotations().get(INDEX)?;
    Index::decode(&BASE64.decode(text.as_bytes()).ok()?)
}

/// Returns the annotations with a rotation statement.
pub(super) fn with_rotation(
    mut annotations: BTreeMap<String, String>,
    rotation: Option<&Rotation>,
) -> BTreeMap<String, String> {
    let rotation = rotation.map(|rotation| rotation.token().to_owned());
    annotations.extend(rotation.map(|token| (ROTATION.to_owned(), token)));
    annotations
}

/// Returns the rotation statement in the manifest. One that does not verify is ignored with a warning.
pub(super) fn rotation(artifact: &Artifact) -> Option<Rotation> {
    let token = artifact.annotations().get(ROTATION)?;
    match Rotation::verify(token) {
        Ok(rotation) => Some(rotation),
        Err(error) => {
            let digest = &artifact.descriptor().digest;
            tracing::warn!(
                "ignoring the rotation statement of {digest}: {}",
                with_causes(&error)
            );
            None
        }
    }
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

/// Refuses an archive whose manifest carries verified claims that differ from those in the archive. With such a
/// manifest, a fetch of one executable and a read of the whole archive would give different content under one digest,
/// such as two releases. Nobody makes such a manifest by mistake. Claims that do not verify are ignored with a warning.
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
