//! The probe of one endpoint.

use bytes::Bytes;
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};

use crate::content::{Descriptor, Digest};
use crate::oci::credentials::Credentials;
use crate::oci::error::Error;
use crate::oci::hosts::Capability;
use crate::oci::manifest::{Role, children};
use crate::oci::media_type;
use crate::oci::reference::Place;

use super::super::endpoints::Endpoint;
use super::super::http::{Request, Scope, refuse_encoding};
use super::super::repository_endpoint::RepositoryEndpoint;
use super::super::upload::{BlobUpload, Check, Session, compare_stored, wants_chunks};
use super::super::{referrers, tags, upload};
use super::greeting::{Greeting, Wants};

/// Finds out what one endpoint of a registry can do.
pub(crate) struct Probe {
    repository: RepositoryEndpoint,
}

impl Probe {
    /// Returns a probe of `endpoint` for a registry, or a repository in one.
    pub(crate) fn new(place: &Place, endpoint: Endpoint) -> Self {
        let name = place.reference().map(|reference| reference.repository());
        Self {
            repository: RepositoryEndpoint {
                endpoint,
                registry: place.registry().to_owned(),
                name: name.unwrap_or_default().to_owned(),
                reading: Scope::PULL,
                uploads: None,
            },
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.endpoint().name()
    }

    /// Returns whether the endpoint serves everything that a reader needs: content, and the manifests that tags name.
    pub(crate) fn serves_readers(&self) -> bool {
        let needed = [Capability::Pull, Capability::Resolve];
        needed.iter().all(|needed| self.endpoint().can(*needed))
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.endpoint().is_loopback()
    }

    pub(crate) fn accepts_any_certificate(&self) -> bool {
        self.endpoint().accepts_any_certificate()
    }

    /// Requests the root of the API without credentials.
    pub(crate) async fn greet(&self) -> Result<Greeting, Error> {
        let request = self.root()?;
        let response = self.endpoint().exchange_anonymously(&request).await?;
        let greeting = Greeting::of(&response, &request)?;
        if greeting.wants == Wants::Nothing {
            self.endpoint().check(response, &request).await?;
        }
        self.endpoint().answered();
        Ok(greeting)
    }

    /// Looks up the credentials for the registry.
    pub(crate) async fn credentials(&self) -> Result<Credentials, Error> {
        let authenticator = self.endpoint().authenticator();
        authenticator.credentials(&self.root()?).await
    }

    /// Sends the credentials to the root of the API.
    pub(crate) async fn log_in(&self) -> Result<(), Error> {
        self.endpoint().send(&self.root()?).await.map(drop)
    }

    /// Returns the tags on the first page of the list.
    pub(crate) async fn tags(&self) -> Result<Vec<String>, Error> {
        tags::first_page(&self.repository).await
    }

    /// Returns the manifest that `name` names, and its largest blob, if it has one.
    pub(crate) async fn sample(
        &self,
        name: &str,
    ) -> Result<(Descriptor, Option<Descriptor>), Error> {
        // Commands also resolve the name first, and then read the manifest.
        self.repository.resolve_name(name).await?;
        let (manifest, bytes) = self.repository.manifest(name).await?;
        let children = children(&manifest, &bytes)?.into_iter();
        // An index has no blobs. A foreign layer is not in the registry.
        let blobs = children.filter(|child| child.role == Role::Part && child.urls.is_empty());
        // A blob of one byte cannot be read in parts.
        let largest = blobs
            .map(|blob| blob.descriptor)
            .filter(|blob| blob.size > 1)
            .max_by_key(|blob| blob.size);
        Ok((manifest, largest))
    }

    /// Returns whether the endpoint serves byte ranges of a blob.
    pub(crate) async fn serves_ranges(&self, blob: &Descriptor) -> Result<bool, Error> {
        let mut request = self
            .repository
            .blob_request(Method::GET, blob, Scope::PULL)?;
        // Proxies compress whole answers, but not parts of them. Only the headers of this answer are read.
        let whole = self.endpoint().send(&request).await?;
        if whole.content_length() != Some(blob.size) {
            refuse_encoding(&whole, &request)?;
        }
        drop(whole);
        let last = blob.size.saturating_sub(1);
        if let Ok(range) = format!("bytes={last}-{last}").try_into() {
            request.headers.insert(RANGE, range);
        }
        let response = self.endpoint().send(&request).await?;
        let given = response.headers().get(CONTENT_RANGE);
        let given = given.and_then(|value| value.to_str().ok());
        let expected = format!("bytes {last}-{last}/");
        Ok(response.status() == StatusCode::PARTIAL_CONTENT
            && given.is_some_and(|given| given.starts_with(&expected)))
    }

    pub(crate) async fn lists_referrers(&self, digest: &Digest) -> Result<bool, Error> {
        referrers::has_api(&self.repository, digest).await
    }

    /// Sends a blob in one request, and checks that it is stored. Returns the refusal if the registry may accept the
    /// blob in chunks instead.
    pub(crate) async fn upload_whole(
        &self,
        content: &Descriptor,
        bytes: Bytes,
    ) -> Result<Option<Error>, Error> {
        let mut upload = BlobUpload::new(&self.repository, content);
        let session = upload.begin().await?;
        let request = upload.closing_request(&session, content.size)?;
        if let Err(error) = self.send(&request, bytes).await {
            cancel(&upload, &session).await;
            return if wants_chunks(&error) {
                Ok(Some(error))
            } else {
                Err(error)
            };
        }
        let stored = self.repository.stored(content, Scope::PUSH).await?;
        compare_stored(&self.repository, content, stored.as_ref())?;
        Ok(None)
    }

    /// Sends a blob as one chunk, and cancels the upload. Returns whether the upload was cancelled. If it was not, it
    /// stays until the registry removes it.
    pub(crate) async fn upload_chunk(
        &self,
        content: &Descriptor,
        bytes: Bytes,
    ) -> Result<bool, Error> {
        let mut upload = BlobUpload::new(&self.repository, content);
        let mut session = upload.begin().await?;
        let request = upload.chunk_request(&session, content.size)?;
        let sent = self.send(&request, bytes).await;
        if let Ok(response) = &sent {
            session.follow(response, &request)?;
        }
        let cancelled = cancel(&upload, &session).await;
        sent.map(|_| cancelled)
    }

    /// Stores content in the registry.
    pub(crate) async fn put(&self, content: &Descriptor, bytes: &Bytes) -> Result<(), Error> {
        let check = if media_type::is_manifest(&content.media_type) {
            let sent = upload::store_manifest(&self.repository, content, bytes, None).await?;
            sent.check
        } else {
            let (_, check) = upload::store_blob(&self.repository, content, None, bytes).await?;
            check
        };
        if check != Check::Done {
            upload::check_stored(&self.repository, content).await?;
        }
        Ok(())
    }

    pub(crate) async fn delete(&self, content: &Descriptor) -> Result<(), Error> {
        self.repository.delete(content).await
    }

    async fn send(&self, request: &Request, bytes: Bytes) -> Result<Response, Error> {
        let response = self.endpoint().exchange(request, bytes).await?;
        self.endpoint().check(response, request).await
    }

    fn endpoint(&self) -> &Endpoint {
        &self.repository.endpoint
    }

    fn root(&self) -> Result<Request, Error> {
        let url = self.endpoint().url("")?;
        Ok(Request::of_registry(url, self.name(), "API"))
    }
}

async fn cancel(upload: &BlobUpload<'_>, session: &Session) -> bool {
    match upload.request(Method::DELETE, session) {
        Ok(request) => upload.repository.endpoint.send(&request).await.is_ok(),
        Err(_) => false,
    }
}
