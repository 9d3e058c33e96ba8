//! Manifests in the cache.

use std::io::Read;

use bytes::Bytes;

use crate::cache::{self, Held};
use crate::content::{Descriptor, Digest, open_regular};
use crate::oci::{MANIFEST_LIMIT, media_type};

use super::super::blocking::blocking;
use super::super::client::Client;
use super::super::error::Error;

/// Returns the content with this digest, if the cache holds it.
pub(super) async fn held(client: &Client, digest: &Digest) -> Result<Option<Held>, Error> {
    Ok(client.cache()?.hold_async(digest).await?)
}

/// Returns the bytes of a manifest in the cache. Of larger content, returns one byte more than a manifest may have.
pub(super) async fn manifest_bytes(held: Held) -> Result<Bytes, Error> {
    blocking(move || {
        let mut bytes = Vec::new();
        let path = held.path();
        let read = open_regular(path)
            .and_then(|(file, _)| file.take(MANIFEST_LIMIT + 1).read_to_end(&mut bytes));
        read.map_err(cache::Error::file(path))?;
        Ok(bytes.into())
    })
    .await
}

/// Returns the descriptor of a manifest, if the cache holds it.
pub(super) async fn cached_manifest(
    client: &Client,
    digest: &Digest,
) -> Result<Option<Descriptor>, Error> {
    let Some(held) = held(client, digest).await? else {
        return Ok(None);
    };
    let bytes = manifest_bytes(held).await?;
    if bytes.len() as u64 > MANIFEST_LIMIT {
        return Ok(None);
    }
    Ok(
        media_type::of_manifest(&bytes).map(|media_type| Descriptor {
            media_type: media_type.to_owned(),
            digest: digest.clone(),
            size: bytes.len() as u64,
        }),
    )
}
