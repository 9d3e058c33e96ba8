//! The tags of a repository.

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::content::Digest;
use crate::oci::error::Error;
use crate::oci::manifest::MANIFEST_LIMIT;

use super::http::{Page, Request, Scope, is_page, next_page};
use super::repository_endpoint::RepositoryEndpoint;

/// How many tags are resolved at the same time.
const AT_A_TIME: usize = 8;

#[derive(Deserialize)]
struct TagList {
    /// Some registries send `null` for an empty list, or leave out the field.
    tags: Option<Vec<String>>,
}

/// Returns all tags, sorted. Registries should sort them, but `registry:2` does not.
pub(crate) async fn list(repository: &RepositoryEndpoint) -> Result<Vec<String>, Error> {
    let request = list_request(repository)?;
    let what = request.what.clone();
    let first = page(repository, request).await?;
    let mut tags = first.read_all(&what, |next| page(repository, next)).await?;
    tags.sort();
    // A tag that is pushed while the list is read may be on two pages.
    tags.dedup();
    Ok(tags)
}

/// Returns all tags if they are on one page.
pub(crate) async fn only_page(
    repository: &RepositoryEndpoint,
) -> Result<Option<Vec<String>>, Error> {
    let page = page(repository, list_request(repository)?).await?;
    Ok(page.next.is_none().then_some(page.entries))
}

/// Returns the tags on the first page of the list.
pub(crate) async fn first_page(repository: &RepositoryEndpoint) -> Result<Vec<String>, Error> {
    Ok(page(repository, list_request(repository)?).await?.entries)
}

/// Returns all tags, sorted, each with the digest of the manifest that it names.
pub(crate) async fn resolved(
    repository: &RepositoryEndpoint,
) -> Result<Vec<(String, Digest)>, Error> {
    let tags = match list(repository).await {
        Ok(tags) => tags,
        // Some registries answer so for a repository without tags.
        Err(Error::NotFound { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let tags = tags.into_iter().map(|tag| resolve(repository.clone(), tag));
    let resolved = stream::iter(tags.collect::<Vec<_>>()).buffered(AT_A_TIME);
    let resolved: Vec<Option<(String, Digest)>> = resolved.try_collect().await?;
    Ok(resolved.into_iter().flatten().collect())
}

async fn resolve(
    repository: RepositoryEndpoint,
    tag: String,
) -> Result<Option<(String, Digest)>, Error> {
    match repository.resolve_name(&tag).await {
        Ok(found) => Ok(Some((tag, found.digest))),
        // The tag was deleted after the tags were listed.
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn list_request(repository: &RepositoryEndpoint) -> Result<Request, Error> {
    repository.request(Method::GET, "tags/list", "list of tags", Scope::PULL)
}

async fn page(repository: &RepositoryEndpoint, request: Request) -> Result<Page<String>, Error> {
    let (headers, bytes) = repository.endpoint.read(&request, MANIFEST_LIMIT).await?;
    if is_page(&headers) {
        let reason = "it is a web page, which no registry answers with";
        return Err(Error::malformed(&request.what, reason));
    }
    let document: Map<String, Value> =
        serde_json::from_slice(&bytes).map_err(Error::json(&request.what))?;
    if !["tags", "name"]
        .iter()
        .any(|field| document.contains_key(*field))
    {
        return Err(Error::malformed(&request.what, "it has no tags"));
    }
    let list: TagList =
        serde_json::from_value(document.into()).map_err(Error::json(&request.what))?;
    Ok(Page {
        entries: list.tags.unwrap_or_default(),
        next: next_page(&headers, request)?,
    })
}
