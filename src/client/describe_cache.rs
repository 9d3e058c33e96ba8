//! Describing the providers that earlier versions of the product have cached.
//!
//! Each use of a provider records its description in the cache. Earlier versions recorded none, so their providers
//! would be missing in lists until the next use.

use bytes::Bytes;
use serde::Deserialize;

use crate::archive::{Dates, Limits, VerifiedClaims, read_claims};
use crate::cache::{self, Cache};
use crate::content::{Descriptor, Digest, read_bounded};
use crate::oci::{Artifact, MANIFEST_LIMIT, media_type};

use super::annotations;
use super::lookup::provider_in;

/// Records descriptions of the providers in the cache that have none. Leaves out providers that cannot be read. Blocks.
pub(crate) fn describe_cache(cache: &Cache) -> Result<(), cache::Error> {
    let blobs = cache.undescribed()?;
    let manifests: Vec<_> = blobs
        .into_iter()
        .filter_map(|digest| Some((manifest(cache, &digest)?, digest)))
        .collect();
    for (bytes, digest) in &manifests {
        let Some(artifact) = artifact(digest, bytes) else {
            continue;
        };
        let names = |index: &Bytes| children(index).any(|child| child == *digest);
        let indexes = manifests.iter().filter(|(bytes, _)| names(bytes));
        let claims = match annotations::claims(&artifact, Dates::Any) {
            Some(claims) => claims.ok(),
            None => claims_in_archive(cache, &artifact),
        };
        let Some(claims) = claims else {
            continue;
        };
        let index = indexes.map(|(_, index)| index).next();
        let provider = provider_in(&artifact, None, index, &claims, false);
        // A cache that cannot be written can still be listed.
        if let Err(error) = cache.describe(digest, provider) {
            tracing::debug!(%digest, %error, "the provider is not described");
        }
    }
    Ok(())
}

fn manifest(cache: &Cache, digest: &Digest) -> Option<Bytes> {
    let bytes = cache.peek(digest, |file| read_bounded(file, MANIFEST_LIMIT));
    Some(bytes?.ok()?.into())
}

fn artifact(digest: &Digest, bytes: &Bytes) -> Option<Artifact> {
    let descriptor = Descriptor {
        media_type: media_type::of_manifest(bytes)?.to_owned(),
        size: bytes.len() as u64,
        digest: digest.clone(),
    };
    Artifact::parse(descriptor, bytes.clone(), &digest.to_string()).ok()
}

/// Returns the digests of the manifests that an image index names. Empty for any other document.
fn children(index: &Bytes) -> impl Iterator<Item = Digest> {
    #[derive(Default, Deserialize)]
    struct Named {
        #[serde(default)]
        manifests: Vec<Descriptor>,
    }
    let named: Named = serde_json::from_slice(index).unwrap_or_default();
    named.manifests.into_iter().map(|child| child.digest)
}

/// Returns the claims in the archive of a provider, if the whole archive is cached.
fn claims_in_archive(cache: &Cache, artifact: &Artifact) -> Option<VerifiedClaims> {
    let [layer] = artifact.layers() else {
        return None;
    };
    let claims = cache.peek(&layer.digest, |file| read_claims(file, &Limits::default()));
    claims?.ok()
}
