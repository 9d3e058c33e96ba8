//! The list of the repositories of a registry (`/v2/_catalog` in Docker's registry API). The OCI specification only
//! reserves the path, and many registries do not serve it.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::oci::error::Error;
use crate::oci::hosts::Capability;
use crate::oci::manifest::MANIFEST_LIMIT;

use super::endpoints::Endpoint;
use super::http::{Page, Request, Scope, is_page, next_page};
use super::registries::Registries;

#[derive(Deserialize)]
struct Catalogue {
    /// Some registries send `null` for an empty list.
    repositories: Option<Vec<String>>,
}

impl Registries {
    /// Returns all repositories of `registry`, a host with an optional port, sorted. Sends one request for each page of
    /// the list to the registry itself, because a mirror lists only the repositories that it mirrors.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the registry does not serve the list; [`Error::Malformed`] and [`Error::Json`] when the
    /// answer is not a list of repositories, or the list has more than 100,000 repositories or 1,000 pages; and the
    /// errors of any request to a registry.
    pub async fn repositories(&self, registry: &str) -> Result<Vec<String>, Error> {
        let endpoints = self.endpoints_of(registry).await?;
        let endpoint = endpoints.readable(Capability::Resolve, None)?.last;
        let what = format!("list of repositories of {registry}");
        let request = Request {
            method: Method::GET,
            url: endpoint.url("_catalog")?,
            registry: registry.to_owned(),
            repository: String::new(),
            scope: Scope::NONE,
            what: what.clone(),
            headers: HeaderMap::new(),
        };
        let first = page(&endpoint, request).await?;
        let mut repositories = first.read_all(&what, |next| page(&endpoint, next)).await?;
        endpoint.answered();
        repositories.sort();
        // A repository that is created while the list is read may be on two pages.
        repositories.dedup();
        Ok(repositories)
    }
}

async fn page(endpoint: &Endpoint, request: Request) -> Result<Page<String>, Error> {
    let (headers, bytes) = endpoint.read(&request, MANIFEST_LIMIT).await?;
    if is_page(&headers) {
        let reason = "it is a web page, which no registry answers with";
        return Err(Error::malformed(&request.what, reason));
    }
    let document: Map<String, Value> =
        serde_json::from_slice(&bytes).map_err(Error::json(&request.what))?;
    if !document.contains_key("repositories") {
        return Err(Error::malformed(&request.what, "it has no repositories"));
    }
    let list: Catalogue =
        serde_json::from_value(document.into()).map_err(Error::json(&request.what))?;
    Ok(Page {
        entries: list.repositories.unwrap_or_default(),
        next: next_page(&headers, request)?,
    })
}
