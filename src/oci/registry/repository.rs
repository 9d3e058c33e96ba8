//! A repository of a registry. Requests are sent to the endpoints that can serve them.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::content::{
    Descriptor, Digest, ListedFirst, Reader, Referrer, ReferrerList, StoreError, Uploads,
};
use crate::oci::error::Error;
use crate::oci::hosts::Capability;
use crate::oci::media_type;

use super::changed::resolve_changed;
use super::download;
use super::endpoints::{Candidates, Endpoint, EndpointCache, RegistryEndpoints};
use super::http::Scope;
use super::referrers;
use super::repository_endpoint::RepositoryEndpoint;
use super::unsettled::Unsettled;
use super::upload;

/// One repository of one registry.
///
/// It is a storage for blobs and manifests: it implements [`Fetch`](crate::content::Fetch),
/// [`Resolve`](crate::content::Resolve), [`Push`](crate::content::Push), [`Mount`](crate::content::Mount) and
/// [`Delete`](crate::content::Delete).
#[derive(Clone)]
pub struct Repository {
    endpoints: Arc<EndpointCache>,
    avoided: Option<AvoidedRepository>,
    registry: String,
    name: String,
    /// How long to wait for the registry. With `None`, the time limit of the options applies.
    limit: Option<Duration>,
    /// Remembers uploads of large blobs.
    uploads: Option<Arc<dyn Uploads>>,
    /// Whether requests are sent only to the endpoint that receives pushes.
    direct: bool,
    /// What is checked at the end of a push. `None`: each step of a push is checked at once.
    unsettled: Option<Arc<Unsettled>>,
}

/// A repository that is not read in place of those of other registries.
#[derive(Clone)]
pub(super) struct AvoidedRepository {
    registry: String,
    /// The [place](Endpoint::place_of) of the repository at the endpoint that receives pushes.
    place: String,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Repository({})", self.location())
    }
}

impl Repository {
    pub(super) fn new(
        endpoints: Arc<EndpointCache>,
        avoided: Option<AvoidedRepository>,
        registry: &str,
        name: &str,
    ) -> Self {
        Self {
            endpoints,
            avoided,
            registry: registry.to_owned(),
            name: name.to_owned(),
            limit: None,
            uploads: None,
            direct: false,
            unsettled: None,
        }
    }

    /// Returns the repository without its mirrors, because they may be out of date.
    pub(crate) fn without_mirrors(self) -> Self {
        Self {
            direct: true,
            ..self
        }
    }

    /// Returns the repository for a caller that does not need an answer. The client waits at most `patience` for the
    /// registry, and less for its mirrors. The time of a credential helper does not count.
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self {
            limit: Some(patience),
            ..self
        }
    }

    /// Returns the repository with `uploads`, which remembers uploads. An interrupted upload is continued if the
    /// registry still has it.
    pub(crate) fn remembering(self, uploads: Arc<dyn Uploads>) -> Self {
        Self {
            uploads: Some(uploads),
            ..self
        }
    }

    /// Returns the repository for a push that checks before a tag moves, and at its end, that the registry still has what it
    /// confirmed: other clients may have changed it. The caller calls [`finish`](crate::content::Push::finish).
    pub(crate) fn checking_last(self) -> Self {
        Self {
            unsettled: Some(Arc::default()),
            ..self
        }
    }

    /// Returns what the push checks at its end, if it does.
    pub(super) fn unsettled(&self) -> Option<&Unsettled> {
        self.unsettled.as_deref()
    }

    /// Returns how long the client waits for the registry.
    pub(crate) fn patience(&self) -> Duration {
        let patience = self.endpoints.options().retry.patience;
        self.limit.map_or(patience, |limit| limit.min(patience))
    }

    /// Returns the manifest that `name`, a tag or a digest, names, with its descriptor. Sends one request to each
    /// endpoint that it asks.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::NotVerified`] and [`Error::Contradiction`] when the bytes differ from the
    /// requested or the announced content; [`Error::TooLarge`] above [`MANIFEST_LIMIT`](crate::oci::MANIFEST_LIMIT);
    /// and the errors of any request to a registry.
    pub async fn manifest(&self, name: &str) -> Result<(Descriptor, Bytes), Error> {
        let ask = async |repository: RepositoryEndpoint| repository.manifest(name).await;
        self.first(capability_for(name), ask, |_| true).await
    }

    /// Returns the descriptor of the manifest that `name`, a tag or a digest, names.
    pub(super) async fn resolve_name(&self, name: &str) -> Result<Descriptor, Error> {
        let ask = async |repository: RepositoryEndpoint| repository.resolve_name(name).await;
        self.first(capability_for(name), ask, |_| true).await
    }

    /// Returns the digest of the manifest that `name` names, or `None` when the registry says that it is still `known`.
    pub(crate) async fn resolve_changed(
        &self,
        name: &str,
        known: Option<&Digest>,
    ) -> Result<Option<Digest>, Error> {
        let ask = async |repository: RepositoryEndpoint| match known {
            Some(known) => resolve_changed(&repository, name, known).await,
            None => Ok(Some(repository.resolve_name(name).await?.digest)),
        };
        self.first(capability_for(name), ask, |_| true).await
    }

    /// Returns the referrers of the manifest `digest`, of the type `artifact_type` or of all types. The list is empty
    /// when the registry does not know `digest`.
    ///
    /// If a registry has no referrers API, the list is read from the tag that clients maintain (OCI distribution
    /// specification, "Listing Referrers" and "Referrers Tag Schema"). An empty list of a mirror is ignored, because a
    /// mirror may not know the referrers of the content that it mirrors.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] and [`Error::Json`] when the answer is not an image index, or the list has more than
    /// 100,000 referrers or 1,000 pages; and the errors of any request to a registry.
    pub async fn referrers(
        &self,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, Error> {
        let ask = async |repository: RepositoryEndpoint| {
            referrers::list(&repository, digest, artifact_type).await
        };
        let capability = Capability::Referrers;
        self.first(capability, ask, |referrers| !referrers.is_empty())
            .await
    }

    /// Returns the referrers of the manifest `digest` as they are listed, at least those of the type `artifact_type`. Of
    /// mirrors, this holds what is said of [`referrers`](Self::referrers).
    pub(super) async fn listed_referrers(
        &self,
        digest: &Digest,
        artifact_type: &str,
        first: ListedFirst,
    ) -> Result<ReferrerList, Error> {
        let ask = async |repository: RepositoryEndpoint| {
            referrers::list_unread(&repository, digest, artifact_type, first).await
        };
        let is_enough = |list: &ReferrerList| !list.referrers.is_empty();
        self.first(Capability::Referrers, ask, is_enough).await
    }

    /// Opens content, or the bytes `range` of it. Manifests are verified here, but the caller has to verify a blob. The
    /// reader continues an interrupted transfer of a blob itself. Its errors are [`StoreError`]s inside of
    /// `io::Error`s.
    pub(super) async fn download(
        &self,
        content: &Descriptor,
        range: Option<Range<u64>>,
    ) -> Result<Reader, Error> {
        let range = range.unwrap_or(0..content.size);
        if range.start > range.end || range.end > content.size {
            return Err(Error::RangeOutside {
                what: format!("content {}", content.digest),
                start: range.start,
                end: range.end,
                size: content.size,
            });
        }
        if media_type::is_manifest(&content.media_type) {
            let (_, bytes) = self.manifest(&content.digest.to_string()).await?;
            return Ok(Box::new(io::Cursor::new(download::slice(&bytes, range))));
        }
        if range.is_empty() && content.size > 0 {
            // Some registries answer a range that starts at the end with a broken body.
            return Ok(Box::new(io::Cursor::new(Bytes::new())));
        }
        let candidates = self.candidates(Capability::Pull).await?;
        let connections = self.endpoints.options().connections;
        download::open(content, range, candidates, connections, |at| self.at(at)).await
    }

    /// Opens the bytes `range` of a blob, which the registry itself must send. The digest cannot verify a part of a
    /// blob, so a mirror or the target of a redirect could send wrong bytes. If there are mirrors, or after a redirect,
    /// the error is [`Error::SecondHand`], also from the reader later.
    pub(crate) async fn open_first_hand(
        &self,
        content: &Descriptor,
        range: Range<u64>,
    ) -> Result<Reader, StoreError> {
        let (mirrors, _) = self.registry_endpoints().await?.probes()?;
        if let Some(mirror) = mirrors.first() {
            return Err(StoreError::from(Error::SecondHand {
                what: format!("blob {} of {}", content.digest, self.location()),
                registry: self.registry.clone(),
                from: format!("mirrors such as {}", mirror.name()),
            }));
        }
        let candidates = self.candidates(Capability::Pull).await?;
        let reader = download::open_first_hand(content, range, candidates, |at| self.at(at));
        Ok(reader.await?)
    }

    /// Returns whether the registry has a blob or a manifest. Sends one request, and does not read the content.
    pub(crate) async fn holds(&self, content: &Descriptor) -> Result<bool, Error> {
        let ask = |repository: RepositoryEndpoint| async move {
            repository.has(content, Scope::PULL).await
        };
        self.first(Capability::Pull, ask, |has| *has).await
    }

    /// Returns the digest of the manifest that `tag` names at the endpoint that receives pushes, or `None` if there is no such
    /// tag.
    pub(crate) async fn own_digest(&self, tag: &str) -> Result<Option<Digest>, Error> {
        match self.writable().await?.resolve_name(tag).await {
            Ok(found) => Ok(Some(found.digest)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the first answer of an endpoint for which `is_enough` returns `true`. If there is none, fails with the
    /// error of the last endpoint, which is the registry itself unless it lacks the capability.
    async fn first<T, F>(
        &self,
        capability: Capability,
        ask: impl Fn(RepositoryEndpoint) -> F,
        is_enough: impl Fn(&T) -> bool,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let candidates = self.candidates(capability).await?;
        candidates
            .first(|endpoint| ask(self.at(endpoint)), is_enough)
            .await
    }

    pub(super) async fn candidates(&self, capability: Capability) -> Result<Candidates, Error> {
        let endpoints = self.registry_endpoints().await?;
        if self.direct
            && let Some(own) = endpoints.first_writable()
        {
            return Ok(Candidates::only(own.clone()));
        }
        let candidates = endpoints.readable(capability, self.limit)?;
        if self.direct {
            return Ok(Candidates::only(candidates.last));
        }
        Ok(match &self.avoided {
            Some(avoided) if avoided.registry != self.registry => {
                candidates.without_mirrors_at(&avoided.place, &self.name)
            }
            _ => candidates,
        })
    }

    /// Returns this repository as one to avoid. `None`: no host receives pushes for it.
    pub(super) async fn to_avoid(&self) -> Result<Option<AvoidedRepository>, Error> {
        let endpoints = self.registry_endpoints().await?;
        Ok(endpoints
            .first_writable()
            .map(|endpoint| AvoidedRepository {
                registry: self.registry.clone(),
                place: endpoint.place_of(&self.name),
            }))
    }

    /// Makes sure that the registry accepts uploads from this client, by opening one.
    pub(crate) async fn open_upload(&self) -> Result<upload::OpenUpload, Error> {
        upload::OpenUpload::open(self.writable().await?).await
    }

    /// Returns the repository at the endpoint that receives pushes.
    pub(super) async fn writable(&self) -> Result<RepositoryEndpoint, Error> {
        Ok(self.at(self.registry_endpoints().await?.writable()?))
    }

    pub(super) fn at(&self, endpoint: Endpoint) -> RepositoryEndpoint {
        RepositoryEndpoint {
            endpoint,
            registry: self.registry.clone(),
            name: self.name.clone(),
            reading: Scope::PULL,
            uploads: self.uploads.clone(),
        }
    }

    pub(super) async fn registry_endpoints(&self) -> Result<Arc<RegistryEndpoints>, Error> {
        self.endpoints.of(&self.registry).await
    }

    pub(crate) fn location(&self) -> String {
        format!("{}/{}", self.registry, self.name)
    }
}

/// Returns the capability that an endpoint needs to serve `name`. Content with a digest can be verified, so any
/// endpoint may serve it. Only endpoints that are trusted to do so may resolve a tag.
fn capability_for(name: &str) -> Capability {
    let digest = name.parse::<Digest>();
    digest.map_or(Capability::Resolve, |_| Capability::Pull)
}
