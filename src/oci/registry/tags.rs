//! The tags of a repository.

use reqwest::Method;
use serde::Deserialize;

use super::super::MANIFEST_LIMIT;
use super::super::error::Error;
use super::super::hosts::Capability;
use super::Repository;
use super::hosted::HostedRepository;
use super::pages::{self, ENTRIES_LIMIT, PAGES_LIMIT};
use super::transport::{Call, Scope};

#[derive(Deserialize)]
struct TagList {
    /// Some registries say `null` for none.
    tags: Option<Vec<String>>,
}

impl Repository {
    /// All tags of the repository, sorted: registries should do that, and `registry:2` does not. One
    /// request for each page of them.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such repository; [`Error::Malformed`] and [`Error::Json`] when
    /// the answer is no list of tags, or one of more than 100,000 tags or 1,000 pages; and everything that
    /// keeps a registry from answering.
    pub async fn tags(&self) -> Result<Vec<String>, Error> {
        self.first(Capability::Resolve, |host| async move { host.tags().await })
            .await
    }
}

impl HostedRepository {
    pub(super) async fn tags(&self) -> Result<Vec<String>, Error> {
        let mut tags = Vec::new();
        let mut call = self.tags_call()?;
        for _ in 0..PAGES_LIMIT {
            let (page, next) = self.page_of_tags(call).await?;
            tags.extend(page);
            match next {
                Some(next) if tags.len() <= ENTRIES_LIMIT => call = next,
                None if tags.len() <= ENTRIES_LIMIT => {
                    tags.sort();
                    return Ok(tags);
                }
                _ => break,
            }
        }
        Err(pages::too_many(&self.tags_call()?))
    }

    pub(super) fn tags_call(&self) -> Result<Call, Error> {
        self.call(Method::GET, "tags/list", "list of tags", Scope::PULL)
    }

    /// The tags on one page, and the request for the next one.
    pub(super) async fn page_of_tags(
        &self,
        call: Call,
    ) -> Result<(Vec<String>, Option<Call>), Error> {
        let (headers, bytes) = self.transport.read(&call, MANIFEST_LIMIT).await?;
        let list: TagList = serde_json::from_slice(&bytes).map_err(|source| Error::Json {
            what: call.what.clone(),
            source: source.into(),
        })?;
        Ok((list.tags.unwrap_or_default(), pages::next(&headers, call)?))
    }
}
