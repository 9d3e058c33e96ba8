//! Probing how a repository accepts blobs.

use bytes::Bytes;
use reqwest::{Method, Response};

use crate::content::Descriptor;
use crate::oci::error::Error;

use super::super::http::{Request, Scope};
use super::super::repository_endpoint::RepositoryEndpoint;
use super::super::upload::{BlobUpload, Session, compare_stored, wants_chunks};

/// Sends a blob in one request, and checks that it is stored. Returns the refusal when the registry may accept the
/// blob in chunks instead.
pub(super) async fn upload_whole(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    bytes: Bytes,
) -> Result<Option<Error>, Error> {
    let mut upload = BlobUpload::new(repository, content);
    let session = begin(&mut upload).await?;
    let request = upload.closing_request(&session, content.size)?;
    if let Err(error) = send(repository, &request, bytes).await {
        cancel(&upload, &session).await;
        return if wants_chunks(&error) {
            Ok(Some(error))
        } else {
            Err(error)
        };
    }
    let stored = repository.stored(content, Scope::PUSH).await?;
    compare_stored(repository, content, stored.as_ref())?;
    Ok(None)
}

/// Sends a blob as one chunk, and cancels the upload. Returns whether it was cancelled: otherwise it stays until the
/// registry removes it.
pub(super) async fn upload_chunk(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    bytes: Bytes,
) -> Result<bool, Error> {
    let mut upload = BlobUpload::new(repository, content);
    let mut session = begin(&mut upload).await?;
    let request = upload.chunk_request(&session, content.size)?;
    let sent = send(repository, &request, bytes).await;
    if let Ok(response) = &sent {
        session.follow(response, &request)?;
    }
    let cancelled = cancel(&upload, &session).await;
    sent.map(|_| cancelled)
}

async fn begin(upload: &mut BlobUpload<'_>) -> Result<Session, Error> {
    let session = upload.begin(None).await?;
    session.ok_or_else(|| Error::Location {
        what: format!("blob {}", upload.content.digest),
        registry: upload.repository.endpoint.name().to_owned(),
        reason: "it opened no upload".to_owned(),
    })
}

async fn cancel(upload: &BlobUpload<'_>, session: &Session) -> bool {
    match upload.request(Method::DELETE, session) {
        Ok(request) => upload.repository.endpoint.send(&request).await.is_ok(),
        Err(_) => false,
    }
}

async fn send(
    repository: &RepositoryEndpoint,
    request: &Request,
    bytes: Bytes,
) -> Result<Response, Error> {
    let response = repository.endpoint.exchange(request, bytes).await?;
    repository.endpoint.check(response, request).await
}
