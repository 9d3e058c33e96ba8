//! Referrers: manifests that belong to another manifest, such as signatures, attestations and bills of
//! materials.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::descriptor::Descriptor;
use super::digest::Digest;
use super::store_error::StoreError;

/// A manifest that names another manifest as its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Referrer {
    /// The descriptor of the referring manifest.
    pub descriptor: Descriptor,
    /// The type of the artifact, such as `application/vnd.dev.sigstore.bundle.v0.3+json`.
    pub artifact_type: Option<String>,
    /// The annotations of the artifact.
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

/// The list of referrers to read first.
#[cfg_attr(
    not(feature = "sigstore"),
    allow(dead_code, reason = "only the search for Sigstore bundles asks for it")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedFirst {
    /// The list of the storage itself. If the storage has none, the list that clients maintain is read.
    ByStorage,
    /// The list that clients maintain. If there is none, the list of the storage itself is read.
    ByClients,
}

/// A list of referrers that was not verified. Types and annotations may be absent or wrong.
#[cfg_attr(
    not(feature = "sigstore"),
    allow(dead_code, reason = "only the search for Sigstore bundles asks for it")
)]
#[derive(Debug, Clone)]
pub struct ReferrerList {
    /// The referrers, each one once.
    pub referrers: Vec<Referrer>,
    /// The origin of the list.
    pub origin: ListOrigin,
}

/// The origin of a list of referrers.
#[cfg_attr(
    not(feature = "sigstore"),
    allow(dead_code, reason = "only the search for Sigstore bundles asks for it")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOrigin {
    /// The storage maintains the list.
    Storage,
    /// Clients maintain the list, because the storage maintains none.
    Clients,
    /// Clients maintain the list. It is unknown whether the storage maintains one.
    ClientsFirst,
}

/// Finds the referrers of a manifest.
///
/// Such a storage adds each pushed manifest that has a subject to the list of that subject's referrers.
#[async_trait]
pub trait Referrers: Send + Sync {
    /// Returns the referrers of the manifest `subject`, of the type `artifact_type` or of all types, each one once. The
    /// list is empty when the storage does not know `subject`.
    ///
    /// The list may be wrong. A caller must read the manifest of a referrer and check that it names `subject`.
    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, StoreError>;

    /// Returns the referrers of the manifest `subject` as they are listed. The list has at least the referrers of the type
    /// `artifact_type`. Unlike [`referrers`](Self::referrers), this does not read manifests to correct the list.
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

    /// Returns all tags of the storage if one request can return them. `None`: a caller must resolve each tag that it is
    /// interested in.
    async fn tags_at_once(&self) -> Result<Option<Vec<String>>, StoreError>;
}
