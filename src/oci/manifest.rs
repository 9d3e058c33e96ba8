//! Manifests of any kind: how one is read, and which content it names.

use bytes::Bytes;
use serde::Deserialize;
use tokio::io::AsyncReadExt;

use crate::content::{Descriptor, Hasher, Source, VerifyError, VerifyReader};

use super::error::Error;

/// The largest manifest that is read or written, in bytes: 4 MiB, the size that the OCI distribution
/// specification asks registries to accept ("Pushing Manifests").
pub(crate) const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;
/// The most layers, or entries of an index, that are accepted in one manifest.
pub(super) const CHILDREN_LIMIT: usize = 1000;

/// Reads a manifest of at most [`MANIFEST_LIMIT`] bytes from `source`, and verifies it.
pub(crate) async fn read_manifest(
    content: &Descriptor,
    source: &dyn Source,
) -> Result<Bytes, Error> {
    let what = || format!("manifest {}", content.digest);
    if content.size > MANIFEST_LIMIT {
        return Err(Error::too_large(what(), MANIFEST_LIMIT));
    }
    let mut reader = VerifyReader::new(source.open(0).await?, content);
    let mut bytes = Vec::new();
    let verified = async {
        reader.read_to_end(&mut bytes).await?;
        reader.finish_async().await
    };
    verified
        .await
        .map_err(|error| Error::reading(what(), error))?;
    Ok(bytes.into())
}

/// Checks that `bytes` are the content of `descriptor`; `what` names them in the error.
pub(super) fn verify(
    descriptor: &Descriptor,
    bytes: &[u8],
    what: impl Fn() -> String,
) -> Result<(), Error> {
    let mut hasher = Hasher::new(descriptor.digest.algorithm());
    hasher.update(bytes);
    let actual = hasher.finish();
    if actual != descriptor.digest {
        let expected = descriptor.digest.clone();
        return Err(Error::not_verified(
            what(),
            VerifyError::WrongDigest { expected, actual },
        ));
    }
    if bytes.len() as u64 != descriptor.size {
        let actual = format!("{} bytes", bytes.len());
        return Err(Error::wrong_size(what(), descriptor.size, actual));
    }
    Ok(())
}

/// Returns the contents that the manifest `bytes` names, at most 1,000: its config and layers, or the
/// manifests of an index. The `subject` of a manifest is not among them.
pub(crate) fn children(content: &Descriptor, bytes: &[u8]) -> Result<Vec<Descriptor>, Error> {
    let what = || format!("manifest {}", content.digest);
    let named: Children = serde_json::from_slice(bytes).map_err(Error::json(what()))?;
    let layers = named.layers.into_iter().flatten();
    let manifests = named.manifests.into_iter().flatten();
    let children: Vec<_> = named
        .config
        .into_iter()
        .chain(layers)
        .chain(manifests)
        .collect();
    if children.len() > CHILDREN_LIMIT {
        let reason = format!("it names more than {CHILDREN_LIMIT} other contents");
        return Err(Error::malformed(what(), reason));
    }
    Ok(children)
}

/// The fields of a manifest or an index that name its content.
#[derive(Deserialize)]
struct Children {
    config: Option<Descriptor>,
    // Tools written in Go write `null` for an empty list.
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

#[cfg(test)]
#[path = "tests/manifest.rs"]
mod tests;
