//! Conditional requests: finding out whether a name names another manifest than before.

use reqwest::header::{HeaderValue, IF_NONE_MATCH};
use reqwest::{Method, StatusCode};

use crate::content::Digest;
use crate::oci::error::Error;

use super::http::Announced;
use super::repository_endpoint::RepositoryEndpoint;

/// Returns the digest of the manifest that `name`, a tag or a digest, names. Returns `None` when the registry says that
/// it is still `known` (RFC 9110, "If-None-Match"). One HEAD request is enough if the registry answers with a digest.
pub(super) async fn resolve_changed(
    repository: &RepositoryEndpoint,
    name: &str,
    known: &Digest,
) -> Result<Option<Digest>, Error> {
    let reading = repository.reading;
    let mut request = repository.manifest_request(Method::HEAD, name, reading)?;
    // The entity tag of a manifest is its digest.
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{known}\"")) {
        request.headers.insert(IF_NONE_MATCH, tag);
    }
    let answer = repository.endpoint.head(&request).await?;
    let digest = match &answer {
        Some(answer) if answer.status() == StatusCode::NOT_MODIFIED => return Ok(None),
        Some(answer) if answer.status().is_success() => Announced::from(answer.headers()).digest,
        _ => None,
    };
    Ok(Some(match digest {
        Some(digest) => digest,
        None => repository.resolve_name(name).await?.digest,
    }))
}
