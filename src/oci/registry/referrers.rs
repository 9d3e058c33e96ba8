//! What refers to a manifest: signatures, attestations, bills of materials.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::{Deserialize, Deserializer};

use crate::content::{Descriptor, Digest};

use super::super::error::Error;
use super::super::hosts::Capability;
use super::super::{MANIFEST_LIMIT, media_type};
use super::Repository;
use super::hosted::HostedRepository;
use super::pages::{self, ENTRIES_LIMIT, PAGES_LIMIT};
use super::transport::{Call, Scope};

/// Says which filters the registry has applied itself.
const FILTERS_APPLIED: &str = "oci-filters-applied";

/// A manifest that refers to another one. What is said of it is not verified: the manifest itself is, by
/// its digest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Referrer {
    /// Its name.
    #[serde(flatten)]
    pub descriptor: Descriptor,
    /// What kind of artifact it is.
    pub artifact_type: Option<String>,
    /// Its annotations.
    #[serde(default, deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u64,
    #[serde(default, deserialize_with = "or_default")]
    manifests: Vec<Referrer>,
}

/// `null` where nothing was meant.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A part of what refers to a manifest.
pub(super) struct Page {
    referrers: Vec<Referrer>,
    /// Whether only those of the wanted kind are in it.
    filtered: bool,
    next: Option<Call>,
}

impl Repository {
    /// What refers to the manifest `digest`, of the kind `artifact_type` or of any. Nothing, when the
    /// registry does not know `digest`.
    ///
    /// The referrers API is asked, and where a registry has none, the tag that stands in for it (OCI
    /// distribution specification, "Listing Referrers" and "Referrers Tag Schema"). That nothing does is for
    /// the last host to say, which is the registry itself: a mirror may not know.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] and [`Error::Json`] when the answer is no image index, or one of more than
    /// 100,000 referrers or 1,000 pages; and everything that keeps a registry from answering.
    pub async fn referrers(
        &self,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, Error> {
        let hosts = self.readable(Capability::Referrers).await?;
        let ask = async |host: HostedRepository| host.referrers(digest, artifact_type).await;
        // A mirror may have no such API, or not know yet what refers to the content that it mirrors.
        hosts.first(ask, |referrers| !referrers.is_empty()).await
    }
}

impl HostedRepository {
    async fn referrers(
        &self,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, Error> {
        let wanted = |referrer: &Referrer| {
            artifact_type.is_none() || referrer.artifact_type.as_deref() == artifact_type
        };
        let mut call = self.referrers_call(digest, artifact_type)?;
        let mut referrers = Vec::new();
        for number in 0..PAGES_LIMIT {
            let what = call.what.clone();
            let Some(page) = self.page_of_referrers(call).await? else {
                if number > 0 {
                    let reason = "one of its pages is missing".to_owned();
                    return Err(Error::Malformed { what, reason });
                }
                let mut tagged = self.tagged_referrers(digest).await?;
                tagged.retain(wanted);
                return Ok(tagged);
            };
            let filtered = page.filtered;
            let kept = page.referrers.into_iter();
            referrers.extend(kept.filter(|referrer| filtered || wanted(referrer)));
            match page.next {
                Some(next) if referrers.len() <= ENTRIES_LIMIT => call = next,
                None if referrers.len() <= ENTRIES_LIMIT => return Ok(referrers),
                _ => break,
            }
        }
        Err(pages::too_many(&self.referrers_call(digest, None)?))
    }

    pub(super) fn referrers_call(
        &self,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Call, Error> {
        let what = format!("list of what refers to {digest}");
        let path = format!("referrers/{digest}");
        let mut call = self.call(Method::GET, &path, &what, Scope::PULL)?;
        if let Some(artifact_type) = artifact_type {
            let mut query = call.url.query_pairs_mut();
            query.append_pair("artifactType", artifact_type);
        }
        let accept = HeaderValue::from_static(media_type::OCI_INDEX);
        call.headers.insert(ACCEPT, accept);
        Ok(call)
    }

    /// One page; `None` when the registry has no such API.
    pub(super) async fn page_of_referrers(&self, call: Call) -> Result<Option<Page>, Error> {
        let (headers, bytes) = match self.transport.read(&call, MANIFEST_LIMIT).await {
            Ok(answer) => answer,
            Err(Error::NotFound { .. }) => return Ok(None),
            // In the words of those who have never heard of it.
            Err(Error::Refused { answer, .. })
                if matches!(answer.status, 400 | 405 | 406 | 501) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if !is_index(&headers) {
            // Some answer every path, with a web page for example.
            return Ok(None);
        }
        let filters = headers.get_all(FILTERS_APPLIED).into_iter();
        let mut filters = filters.filter_map(|value| value.to_str().ok());
        Ok(Some(Page {
            referrers: parse(&bytes, &call.what)?,
            filtered: filters
                .any(|value| value.split(',').any(|name| name.trim() == "artifactType")),
            next: pages::next(&headers, call)?,
        }))
    }

    /// What the tag says that clients keep where there is no API.
    async fn tagged_referrers(&self, digest: &Digest) -> Result<Vec<Referrer>, Error> {
        let what = format!("list of what refers to {digest} of {}", self.location());
        match self.manifest(&referrers_tag(digest)).await {
            Ok((descriptor, bytes)) if descriptor.media_type == media_type::OCI_INDEX => {
                parse(&bytes, &what)
            }
            Ok((descriptor, _)) => Err(Error::Malformed {
                what,
                reason: format!("it is `{}`, not an image index", descriptor.media_type),
            }),
            Err(Error::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn is_index(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or(value);
        media_type.trim() == media_type::OCI_INDEX
    })
}

fn parse(bytes: &[u8], what: &str) -> Result<Vec<Referrer>, Error> {
    let index: Index = serde_json::from_slice(bytes).map_err(|source| Error::Json {
        what: what.to_owned(),
        source: source.into(),
    })?;
    match index.schema_version {
        2 => Ok(index.manifests),
        _ => Err(Error::Malformed {
            what: what.to_owned(),
            reason: "its schemaVersion is not 2".to_owned(),
        }),
    }
}

/// The tag that stands in for the API: no longer than a tag may be.
fn referrers_tag(digest: &Digest) -> String {
    let hex = digest.hex();
    let hex = hex.get(..64).unwrap_or(hex);
    format!("{}-{hex}", digest.algorithm().name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_a_long_digest_is_cut() {
        let digest = Digest::of(b"");
        let tag = referrers_tag(&digest);
        assert_eq!(tag, digest.to_string().replace(':', "-"));
        let long: Digest = format!("sha512:{}", "ab".repeat(64)).parse().unwrap();
        assert_eq!(referrers_tag(&long), format!("sha512-{}", "ab".repeat(32)));
    }
}
