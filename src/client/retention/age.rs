//! The time at which a manifest was made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use serde::Deserialize;

use crate::archive::{Dates, read_claims_with};
use crate::content::{Content, Descriptor, ErrorKind};
use crate::oci::annotation_names::CREATED;
use crate::oci::{Artifact, Repository, read_json};

use super::super::annotations;
use super::super::blocking::blocking;
use super::super::client::Client;
use super::super::error::Error;
use super::super::lookup::read_range;

/// How many bytes of an archive's start are read to find its claims. They are the first entry of an archive.
const HEAD: u64 = 64 * 1024;

/// The fields of a manifest, and of the config of an image, that say when it was made.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    annotations: Option<BTreeMap<String, String>>,
    config: Option<Descriptor>,
    created: Option<String>,
}

/// Returns when `manifest` was made. The time comes from its annotation, else from the verified claims of its archive, else
/// from the config of its image. Returns `None` if none of them has a time.
///
/// # Errors
///
/// An error of a registry that is unavailable. Other errors count as an unknown time.
pub(super) async fn created(
    client: &Client,
    repository: &Repository,
    manifest: &Descriptor,
    bytes: &Bytes,
) -> Result<Option<SystemTime>, Error> {
    let fields: Fields = serde_json::from_slice(bytes).unwrap_or_default();
    let annotated = fields.annotations.unwrap_or_default().remove(CREATED);
    if let Some(created) = annotated.as_deref().and_then(parse) {
        return Ok(Some(created));
    }
    let name = manifest.digest.to_string();
    if let Ok(artifact) = Artifact::parse(manifest.clone(), bytes.clone(), &name) {
        return signed(client, repository, &artifact).await;
    }
    let Some(config) = fields.config else {
        return Ok(None);
    };
    match read_json(&config, &Content::new(repository, &config)).await {
        Ok(json) => {
            let fields =
                json.map(|json| serde_json::from_slice::<Fields>(&json).unwrap_or_default());
            Ok(fields.and_then(|fields| parse(&fields.created?)))
        }
        Err(error) if error.kind() == ErrorKind::Unavailable => Err(error.into()),
        Err(_) => Ok(None),
    }
}

fn parse(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

/// Returns when the claims of an archive were signed. The signature is verified. Claims that have expired or are not yet
/// valid are accepted.
async fn signed(
    client: &Client,
    repository: &Repository,
    artifact: &Artifact,
) -> Result<Option<SystemTime>, Error> {
    if let Some(Ok(claims)) = annotations::claims(artifact, Dates::Any) {
        return Ok(Some(claims.issued_at()));
    }
    let Some(layer) = artifact.layers().first() else {
        return Ok(None);
    };
    match read_range(repository, layer, 0..HEAD.min(layer.size)).await {
        Ok(head) => {
            let limits = Arc::clone(&client.limits);
            let reading = blocking(move || {
                let claims = read_claims_with(&*head, &limits, Dates::Any);
                Ok(claims.ok().map(|claims| claims.issued_at()))
            });
            reading.await
        }
        Err(error) if error.kind() == ErrorKind::Unavailable => Err(error.into()),
        Err(_) => Ok(None),
    }
}
