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

/// Reads a manifest from `source` and verifies its bytes.
///
/// # Errors
///
/// [`Error::TooLarge`] above [`MANIFEST_LIMIT`], [`Error::NotVerified`] when the bytes are not those of
/// `content`, and the errors of `source`.
pub(crate) async fn read_manifest(
    content: &Descriptor,
    source: &dyn Source,
) -> Result<Bytes, Error> {
    let what = || format!("manifest {}", content.digest);
    if content.size > MANIFEST_LIMIT {
        return Err(Error::TooLarge {
            what: what(),
            limit: MANIFEST_LIMIT,
        });
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
///
/// # Errors
///
/// [`Error::NotVerified`] for another digest, [`Error::Contradiction`] for another size.
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
        return Err(Error::Contradiction {
            what: what(),
            announced: format!("{} bytes", descriptor.size),
            actual: format!("{} bytes", bytes.len()),
        });
    }
    Ok(())
}

/// Returns what the manifest `bytes` consists of: its config and layers, or the manifests of an index. The
/// `subject` of a manifest is not among them.
///
/// # Errors
///
/// [`Error::Json`] when the bytes are not a manifest, [`Error::Malformed`] when it names more than 1,000
/// contents.
pub(crate) fn children(content: &Descriptor, bytes: &[u8]) -> Result<Vec<Descriptor>, Error> {
    let what = || format!("manifest {}", content.digest);
    let manifest: Children = serde_json::from_slice(bytes).map_err(Error::json(what()))?;
    let Children {
        config,
        layers,
        manifests,
    } = manifest;
    let children: Vec<_> = config.into_iter().chain(layers).chain(manifests).collect();
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
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[cfg(test)]
#[path = "tests/manifest.rs"]
mod tests;
