//! The list of the repositories of a registry (`/v2/_catalog` in Docker's registry API). The OCI specification only
//! reserves the path, and many registries do not serve it.

use crate::oci::error::Error;
use crate::oci::hosts::Capability;

use super::http::Request;
use super::name_list::NameList;
use super::registries::Registries;

const REPOSITORIES: NameList = NameList {
    names: "repositories",
    expected: &["repositories"],
};

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
        let request = Request::of_registry(endpoint.url("_catalog")?, registry, what);
        let repositories = REPOSITORIES.read_all(&endpoint, request).await?;
        endpoint.answered();
        Ok(repositories)
    }
}
