//! Referrers: manifests that belong to another manifest, such as signatures, attestations and bills of
//! materials.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderValue};
use serde::{Deserialize, Deserializer};

use crate::content::{Descriptor, Digest};
use crate::oci::error::Error;
use crate::oci::manifest::MANIFEST_LIMIT;
use crate::oci::media_type;

use super::http::{Page, Request, Scope, media_type_of, next_page};
use super::repository_endpoint::RepositoryEndpoint;

/// The header that names the filters which the registry has applied.
const FILTERS_APPLIED: &str = "oci-filters-applied";

/// A manifest that refers to another one, as a list of referrers describes it.
///
/// The description is not verified. The manifest is, by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Referrer {
    /// The descriptor of the manifest that refers to the other one.
    #[serde(flatten)]
    pub descriptor: Descriptor,
    /// The type of the artifact, such as `application/vnd.dev.sigstore.bundle.v0.3+json`.
    pub artifact_type: Option<String>,
    /// The annotations of the artifact.
    #[serde(default, deserialize_with = "null_as_default")]
    pub annotations: BTreeMap<String, String>,
}

/// An image index.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u64,
    #[serde(default, deserialize_with = "null_as_default")]
    manifests: Vec<Referrer>,
}

/// Accepts `null` for an empty list or map, as some registries write it.
fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Returns the referrers of the manifest `digest`, of the type `artifact_type` or of all types. Without
/// a referrers API, they are in an index under a tag that clients maintain.
pub(crate) async fn list(
    repository: &RepositoryEndpoint,
    digest: &Digest,
    artifact_type: Option<&str>,
) -> Result<Vec<Referrer>, Error> {
    let request = list_request(repository, digest, artifact_type)?;
    let what = request.what.clone();
    let Some(first) = page(repository, request, artifact_type).await? else {
        let mut tagged = list_by_tag(repository, digest).await?;
        tagged.retain(|referrer| is_of_type(referrer, artifact_type));
        return Ok(tagged);
    };
    let read = async |next| {
        let page = page(repository, next, artifact_type).await?;
        page.ok_or_else(|| Error::malformed(&what, "one of its pages is missing"))
    };
    first.read_all(&what, read).await
}

/// Returns whether the registry has the referrers API.
pub(crate) async fn has_api(
    repository: &RepositoryEndpoint,
    digest: &Digest,
) -> Result<bool, Error> {
    let request = list_request(repository, digest, None)?;
    Ok(page(repository, request, None).await?.is_some())
}

fn is_of_type(referrer: &Referrer, artifact_type: Option<&str>) -> bool {
    artifact_type.is_none() || referrer.artifact_type.as_deref() == artifact_type
}

fn list_request(
    repository: &RepositoryEndpoint,
    digest: &Digest,
    artifact_type: Option<&str>,
) -> Result<Request, Error> {
    let path = format!("referrers/{digest}");
    let mut request = repository.request(Method::GET, &path, &what(digest), Scope::PULL)?;
    if let Some(name) = artifact_type {
        request
            .url
            .query_pairs_mut()
            .append_pair("artifactType", name);
    }
    let accept = HeaderValue::from_static(media_type::OCI_INDEX);
    request.headers.insert(ACCEPT, accept);
    Ok(request)
}

fn what(digest: &Digest) -> String {
    format!("list of what refers to {digest}")
}

/// Returns the referrers on one page, or `None` when the registry has no referrers API.
async fn page(
    repository: &RepositoryEndpoint,
    request: Request,
    artifact_type: Option<&str>,
) -> Result<Option<Page<Referrer>>, Error> {
    let (headers, bytes) = match repository.endpoint.read(&request, MANIFEST_LIMIT).await {
        Ok(answer) => answer,
        Err(Error::NotFound { .. }) => return Ok(None),
        // The answers of registries that do not know the path.
        Err(Error::Refused { answer, .. }) if matches!(answer.status, 400 | 405 | 406 | 501) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if media_type_of(&headers) != Some(media_type::OCI_INDEX) {
        // Some servers answer every path, with a web page for example.
        return Ok(None);
    }
    let filters = headers.get_all(FILTERS_APPLIED).into_iter();
    let mut filters = filters.filter_map(|value| value.to_str().ok());
    let is_filtered =
        filters.any(|value| value.split(',').any(|name| name.trim() == "artifactType"));
    let mut entries = parse(&bytes, &request.what)?;
    entries.retain(|referrer| is_filtered || is_of_type(referrer, artifact_type));
    Ok(Some(Page {
        entries,
        next: next_page(&headers, request)?,
    }))
}

/// Returns the referrers in the index that clients maintain where there is no API (OCI distribution
/// specification, "Referrers Tag Schema").
async fn list_by_tag(
    repository: &RepositoryEndpoint,
    digest: &Digest,
) -> Result<Vec<Referrer>, Error> {
    let what = format!("{} of {}", what(digest), repository.location());
    match repository.manifest(&referrers_tag(digest)).await {
        Ok((descriptor, bytes)) if descriptor.media_type == media_type::OCI_INDEX => {
            parse(&bytes, &what)
        }
        Ok((descriptor, _)) => {
            let reason = format!("it is `{}`, not an image index", descriptor.media_type);
            Err(Error::malformed(what, reason))
        }
        Err(Error::NotFound { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn parse(bytes: &[u8], what: &str) -> Result<Vec<Referrer>, Error> {
    let index: Index = serde_json::from_slice(bytes).map_err(Error::json(what))?;
    if index.schema_version != 2 {
        return Err(Error::malformed(what, "its schemaVersion is not 2"));
    }
    Ok(index.manifests)
}

/// Returns the tag of the referrers of `digest`, cut to the length that a tag may have.
fn referrers_tag(digest: &Digest) -> String {
    let hex = digest.hex();
    let hex = hex.get(..64).unwrap_or(hex);
    format!("{}-{hex}", digest.algorithm().name())
}

#[cfg(test)]
#[path = "tests/referrers.rs"]
mod tests;
