//! Verifying the Sigstore bundles that were discovered.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::content::{Content, Descriptor, Digest, ErrorKind, ReadStorage};
use crate::oci::read_manifest;

use super::super::error::Error;
use super::super::lookup::read_storage;
use super::super::sigstore::{
    BUNDLE_LIMIT, BundleError, BundleManifest, BundleVerifier, SigstoreRoot,
};
use super::super::trust::TrustError;
use super::super::{Client, blocking};
use super::discovered::{Discovered, DiscoveredManifest, Relation, Vouching};

/// How many bundles are read at a time.
const AT_A_TIME: usize = 4;
/// How many bytes all bundles together may have.
const MOST_BYTES: u64 = 64 << 20;

/// Verifies the bundles in `discovered`, and sets the results.
pub(in crate::client) async fn verify_bundles(
    client: &Client,
    mut discovered: Discovered,
    roots: &[SigstoreRoot],
) -> Result<Discovered, Error> {
    let roots = roots.to_vec();
    // Also without a bundle, a root that cannot be used is an error.
    let verifiers = blocking(move || {
        let verifiers = roots.iter().map(BundleVerifier::new);
        let verifiers: Result<Arc<[_]>, _> = verifiers.collect();
        Ok(verifiers.map_err(TrustError::from)?)
    });
    let verifiers = verifiers.await?;
    let mut bundles = Vec::new();
    let mut left = MOST_BYTES;
    collect(&discovered.root, &mut left, &mut bundles);
    if bundles.is_empty() {
        return Ok(discovered);
    }
    let store = read_storage(client, &discovered.reference).await?;
    let reading = BundleReader {
        store: store.as_ref(),
        verifiers,
    };
    let verified = bundles.into_iter().map(|bundle| reading.verify(bundle));
    let verified = stream::iter(verified.collect::<Vec<_>>()).buffered(AT_A_TIME);
    let verified: HashMap<Place, Vouching> = verified.try_collect().await?;
    mark(&mut discovered.root, &verified);
    Ok(discovered)
}

/// The digest of the manifest that a bundle is about, and the digest of the bundle's own manifest.
type Place = (Digest, Digest);

/// A bundle to verify.
struct FoundBundle {
    place: Place,
    content: Result<Descriptor, BundleError>,
}

/// Adds the bundles below `manifest` to `bundles`. `left` is the number of bytes that may still be read.
fn collect(manifest: &DiscoveredManifest, left: &mut u64, bundles: &mut Vec<FoundBundle>) {
    for below in &manifest.manifests {
        if below.relation == Relation::Referrer
            && let Some(content) = content_of(below, left)
        {
            bundles.push(FoundBundle {
                place: place(manifest, below),
                content,
            });
        }
        collect(below, left, bundles);
    }
}

fn place(above: &DiscoveredManifest, bundle: &DiscoveredManifest) -> Place {
    (
        above.manifest.digest.clone(),
        bundle.manifest.digest.clone(),
    )
}

/// Returns the bundle in a manifest, or the reason why it is not read. Returns `None` for another kind of artifact.
fn content_of(
    manifest: &DiscoveredManifest,
    left: &mut u64,
) -> Option<Result<Descriptor, BundleError>> {
    match manifest.files.as_slice() {
        [file] if file.content.media_type == BundleManifest::TYPE => {
            let (size, limit) = (file.content.size, BUNDLE_LIMIT.min(*left));
            if size > limit {
                return Some(Err(BundleError::TooLarge { size, limit }));
            }
            *left -= size;
            Some(Ok(file.content.clone()))
        }
        _ if manifest.artifact_type.as_deref() == Some(BundleManifest::TYPE) => {
            Some(Err(BundleManifest::not_one_bundle()))
        }
        _ => None,
    }
}

/// Sets the result of each bundle below `manifest`.
fn mark(manifest: &mut DiscoveredManifest, verified: &HashMap<Place, Vouching>) {
    let above = manifest.manifest.digest.clone();
    for below in &mut manifest.manifests {
        let place = (above.clone(), below.manifest.digest.clone());
        below.vouching = verified.get(&place).cloned();
        mark(below, verified);
    }
}

/// Reads and verifies bundles.
struct BundleReader<'a> {
    store: &'a dyn ReadStorage,
    verifiers: Arc<[BundleVerifier]>,
}

impl BundleReader<'_> {
    async fn verify(&self, bundle: FoundBundle) -> Result<(Place, Vouching), Error> {
        let FoundBundle { place, content } = bundle;
        let bytes = match content {
            Ok(content) => self.read(&content).await?,
            Err(refusal) => Err(refusal),
        };
        let vouching = match bytes {
            Ok(bytes) => {
                let (verifiers, manifest) = (Arc::clone(&self.verifiers), place.0.clone());
                blocking(move || Ok(verify_by_any(&verifiers, &bytes, &manifest))).await?
            }
            Err(refusal) => Vouching::Refused(Arc::new(refusal)),
        };
        Ok((place, vouching))
    }

    /// Returns the bytes of a bundle. The inner error is about this bundle only.
    async fn read(&self, content: &Descriptor) -> Result<Result<Bytes, BundleError>, Error> {
        match read_manifest(content, &Content::new(self.store, content)).await {
            Ok(bytes) => Ok(Ok(bytes)),
            Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Denied) => {
                Err(error.into())
            }
            Err(error) => Ok(Err(BundleError::Malformed(error.into()))),
        }
    }
}

/// Verifies a bundle against each root, until one accepts it. If none does, the reason is that of the first root. But if
/// the first root only misses an entry in its transparency log, the bundle is probably of another instance, so the reason of
/// the next root is used.
fn verify_by_any(verifiers: &[BundleVerifier], bundle: &[u8], manifest: &Digest) -> Vouching {
    let mut refusal = None;
    for verifier in verifiers {
        match verifier.verify(bundle, manifest) {
            Ok(identity) => return Vouching::By(identity),
            Err(error) => {
                if matches!(refusal, None | Some(BundleError::NoInclusionProof)) {
                    refusal = Some(error);
                }
            }
        }
    }
    let none = || BundleError::Unsupported("no trusted root was given".to_owned());
    Vouching::Refused(Arc::new(refusal.unwrap_or_else(none)))
}

#[cfg(test)]
#[path = "tests/bundles.rs"]
mod tests;
