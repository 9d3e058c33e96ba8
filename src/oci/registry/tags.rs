//! The tags of a repository.

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;

use crate::content::Digest;
use crate::oci::error::Error;

use super::http::{Page, Request, Scope};
use super::name_list::NameList;
use super::repository_endpoint::RepositoryEndpoint;

/// How many tags are resolved at the same time.
const AT_A_TIME: usize = 8;

/// Some registries leave out the field `tags` when the repository has no tags.
const TAGS: NameList = NameList {
    names: "tags",
    expected: &["tags", "name"],
};

/// Returns all tags, sorted. Registries should sort them, but `registry:2` does not.
pub(crate) async fn list(repository: &RepositoryEndpoint) -> Result<Vec<String>, Error> {
    let request = list_request(repository)?;
    TAGS.read_all(&repository.endpoint, request).await
}

/// Returns all tags if they are on one page.
pub(crate) async fn only_page(
    repository: &RepositoryEndpoint,
) -> Result<Option<Vec<String>>, Error> {
    let page = read_first(repository).await?;
    Ok(page.next.is_none().then_some(page.entries))
}

/// Returns the tags on the first page of the list.
pub(crate) async fn first_page(repository: &RepositoryEndpoint) -> Result<Vec<String>, Error> {
    Ok(read_first(repository).await?.entries)
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

async fn read_first(repository: &RepositoryEndpoint) -> Result<Page<String>, Error> {
    let request = list_request(repository)?;
    TAGS.page(&repository.endpoint, request).await
}

fn list_request(repository: &RepositoryEndpoint) -> Result<Request, Error> {
    repository.request(Method::GET, "tags/list", "list of tags", Scope::PULL)
}
