//! What the cache is told of a provider that was used, for lists and for pruning.

use crate::archive::VerifiedClaims;
use crate::cache::{ClaimsIn, Provider};
use crate::content::{Digest, unix_seconds, with_causes};
use crate::oci::Reference;

use super::super::annotations;
use super::super::blocking::blocking;
use super::record::layout_directory;
use super::start::Lookup;

/// The most characters of a name or a version that are kept.
const LONGEST: usize = 256;

/// Describes the provider behind `lookup` to the cache. A failure is only logged, so that a cache can be used that is
/// read only.
pub(super) async fn describe(
    lookup: &Lookup,
    index: Option<&Digest>,
    claims: &VerifiedClaims,
    has_head: bool,
) {
    let provider = provider(lookup, index, claims, has_head);
    let (client, manifest) = (lookup.client().clone(), lookup.digest());
    let described = blocking(move || Ok(client.cache()?.describe(&manifest, provider)?));
    if let Err(error) = described.await {
        let error = with_causes(&error);
        tracing::info!("cannot record what the provider is: {error}");
    }
}

fn provider(
    lookup: &Lookup,
    index: Option<&Digest>,
    claims: &VerifiedClaims,
    has_head: bool,
) -> Provider {
    let artifact = &lookup.artifact;
    let metadata = claims.metadata();
    let short = |text: String| text.chars().take(LONGEST).collect();
    let is_on_manifest = artifact.layers().len() == 1
        && annotations::claims(artifact, lookup.client().dates)
            .is_some_and(|carried| carried.is_ok());
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
        repositories: repository(lookup.reference()).into_iter().collect(),
    }
}

/// Returns the part of a reference before its tag and its digest.
fn repository(reference: &Reference) -> Option<String> {
    match reference {
        Reference::Registry(place) => Some(format!("{}/{}", place.registry(), place.repository())),
        Reference::Layout(_) => {
            let directory = layout_directory(reference)?;
            Some(format!("oci-layout://{}", directory.to_str()?))
        }
    }
}
