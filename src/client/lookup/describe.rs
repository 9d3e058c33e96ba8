//! Descriptions of used providers in the cache, for lists and for pruning.

use crate::archive::VerifiedClaims;
use crate::cache::{ClaimsIn, Provider};
use crate::content::{Digest, unix_seconds};
use crate::oci::{Artifact, Reference};

use super::super::annotations;
use super::record::absolute_layout;

/// How many characters of a name or a version are kept.
const LONGEST: usize = 256;

/// Returns the description of the provider with the manifest `artifact` and these verified claims. `index` is the image
/// index from which the manifest was chosen. `has_head` says that the cache keeps the first bytes of the archive.
pub(in crate::client) fn provider_in(
    artifact: &Artifact,
    reference: Option<&Reference>,
    index: Option<&Digest>,
    claims: &VerifiedClaims,
    has_head: bool,
) -> Provider {
    let metadata = claims.metadata();
    let short = |text: String| text.chars().take(LONGEST).collect();
    let is_on_manifest = artifact.layers().len() == 1 && annotations::carries(artifact, claims);
    let executables = claims.executables().iter();
    Provider {
        subject: claims.subject().to_string(),
        issuer: claims.issuer().to_string(),
        name: metadata.name.map(short),
        version: metadata.version.map(short),
        valid: (
            metadata.not_before.map(unix_seconds),
            metadata.expires.map(unix_seconds),
        ),
        claims: match (is_on_manifest, has_head) {
            (true, _) => ClaimsIn::Manifest,
            (false, true) => ClaimsIn::Head,
            (false, false) => ClaimsIn::Archive,
        },
        executables: executables
            .map(|(target, digest)| (target.as_str().to_owned(), digest.clone()))
            .collect(),
        layers: artifact
            .layers()
            .iter()
            .map(|layer| layer.digest.clone())
            .collect(),
        indexes: index.into_iter().cloned().collect(),
        repositories: reference.and_then(repository).into_iter().collect(),
    }
}

/// Returns the part of a reference before its tag and its digest.
fn repository(reference: &Reference) -> Option<String> {
    match reference {
        Reference::Registry(place) => Some(format!("{}/{}", place.registry(), place.repository())),
        Reference::Layout(_) => {
            let (form, path) = absolute_layout(reference)?;
            Some(format!("{}{}", form.scheme(), path.to_str()?))
        }
    }
}
