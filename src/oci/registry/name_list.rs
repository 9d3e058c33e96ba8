//! Lists of names that registries serve in pages: tags and repositories.

use serde_json::{Map, Value};

use crate::oci::error::Error;
use crate::oci::manifest::MANIFEST_LIMIT;

use super::endpoints::Endpoint;
use super::http::{Page, Request, is_page, next_page};

/// The form of the pages of a list.
pub(super) struct NameList {
    /// The field with the names. Some registries send `null` for an empty list.
    pub(super) names: &'static str,
    /// The fields of which each page has at least one.
    pub(super) expected: &'static [&'static str],
}

impl NameList {
    /// Reads the page that `request` requests.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] and [`Error::Json`] when the answer is not a page of the list; and the errors of any request
    /// to a registry.
    pub(super) async fn page(
        &self,
        endpoint: &Endpoint,
        request: Request,
    ) -> Result<Page<String>, Error> {
        let (headers, bytes) = endpoint.read(&request, MANIFEST_LIMIT).await?;
        if is_page(&headers) {
            let reason = "it is a web page, which no registry answers with";
            return Err(Error::malformed(&request.what, reason));
        }
        let mut document: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(Error::json(&request.what))?;
        let mut expected = self.expected.iter();
        if !expected.any(|field| document.contains_key(*field)) {
            let reason = format!("it has no {}", self.names);
            return Err(Error::malformed(&request.what, reason));
        }
        let names = document.remove(self.names).unwrap_or_default();
        let names: Option<Vec<String>> =
            serde_json::from_value(names).map_err(Error::json(&request.what))?;
        Ok(Page {
            entries: names.unwrap_or_default(),
            next: next_page(&headers, request)?,
        })
    }

    /// Returns the names on all pages, sorted. `first` requests the first page.
    ///
    /// # Errors
    ///
    /// Those of [`page`](Self::page), and [`Error::Malformed`] when the list has more than 100,000 names or 1,000 pages.
    pub(super) async fn read_all(
        &self,
        endpoint: &Endpoint,
        first: Request,
    ) -> Result<Vec<String>, Error> {
        let what = first.what.clone();
        let first = self.page(endpoint, first).await?;
        let mut names = first
            .read_all(&what, |next| self.page(endpoint, next))
            .await?;
        names.sort();
        // A name that is added while the list is read may be on two pages.
        names.dedup();
        Ok(names)
    }
}
