//! Referrers: manifests that belong to another manifest, such as signatures, attestations and bills of
//! materials.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Deserializer};

use super::descriptor::Descriptor;
use super::digest::Digest;
use super::store_error::StoreError;

/// A manifest that refers to another one, its subject.
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

impl Referrer {
    /// Makes the description of a referrer without a type and without annotations.
    pub(crate) fn new(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// Accepts `null` for an empty list or map, as some registries write it.
fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Where a list of referrers is looked for first.
#[cfg_attr(
    not(feature = "sigstore"),
    allow(dead_code, reason = "only the search for Sigstore bundles asks for it")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedFirst {
    /// The storage itself is asked, and the list that clients maintain counts where it has none.
    ByStorage,
    /// The list that clients maintain is read, and the storage itself is asked where there is none.
    ByClients,
}

/// A list of referrers as it is written. Nothing of it is verified, and types and annotations may be absent or wrong.
#[cfg_attr(
    not(feature = "sigstore"),
    allow(dead_code, reason = "only the search for Sigstore bundles asks for it")
)]
#[derive(Debug, Clone)]
pub struct ReferrerList {
    /// The referrers, each one once.
    pub referrers: Vec<Referrer>,
    /// Where the list comes from.
    pub origin: ListOrigin,
}

/// Where a list of referrers comes from.
#[cfg_attr(
    not(feature = "sigstore"),
    allow(dead_code, reason = "only the search for Sigstore bundles asks for it")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOrigin {
    /// The storage maintains it.
    Storage,
    /// Clients maintain it, in a storage that maintains none.
    Clients,
    /// Clients maintain it. The storage was not asked for a list of its own.
    ClientsFirst,
}

/// Finds the referrers of a manifest.
///
/// A storage with this capability adds each manifest that is pushed and names a subject to the list of that subject.
#[async_trait]
pub trait Referrers: Send + Sync {
    /// Returns the referrers of the manifest `subject`, of the type `artifact_type` or of all types, each one once. The
    /// list is empty when the storage does not know `subject`.
    ///
    /// The list may be wrong. A caller has to read the manifest of a referrer and to check that it names `subject`.
    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, StoreError>;

    /// Returns the referrers of the manifest `subject` as they are listed, at least those of the type `artifact_type`.
    /// Unlike [`referrers`](Self::referrers), this reads no manifest to correct the list.
    #[cfg_attr(
        not(feature = "sigstore"),
        allow(dead_code, reason = "only the search for Sigstore bundles asks for it")
    )]
    async fn listed(
        &self,
        subject: &Digest,
        artifact_type: &str,
        first: ListedFirst,
    ) -> Result<ReferrerList, StoreError> {
        let _ = first;
        Ok(ReferrerList {
            referrers: self.referrers(subject, Some(artifact_type)).await?,
            origin: ListOrigin::Storage,
        })
    }

    /// Returns all tags of the storage, if they can be had at once. `None`: a caller has to ask for each tag that it
    /// wants to know.
    async fn tags_at_once(&self) -> Result<Option<Vec<String>>, StoreError>;
}
