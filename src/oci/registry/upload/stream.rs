//! Sending a blob as one stream: a POST that opens a session, and a PUT with all bytes.
//!
//! That is the fastest way, and the one that every registry supports (OCI distribution specification,
//! "POST then PUT"). An interrupted upload continues with the bytes that the registry lacks. Where the
//! registry, or a proxy in front of it, refuses a large request, the blob is sent in chunks.

use reqwest::header::CONTENT_RANGE;

use crate::content::{Descriptor, Source};
use crate::oci::error::Error;

use super::super::http::{BlobBody, Payload, error_status, is_client_error, is_damage};
use super::super::repository_endpoint::RepositoryEndpoint;
use super::chunks;
use super::session::{BlobUpload, Session, content_range};

/// Sends a blob, or mounts it from the repository `from` of this registry.
pub(super) async fn send_blob(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    from: Option<&str>,
    source: &dyn Source,
) -> Result<(), Error> {
    let mount_from = from.filter(|from| *from != repository.name);
    let mut upload = BlobUpload::new(repository, content);
    let Some(mut session) = upload.begin(mount_from).await? else {
        return Ok(());
    };
    loop {
        let Err(error) = send_rest(&mut upload, source, &session).await else {
            return Ok(());
        };
        let resumed = if session.resumed && is_client_error(&error) {
            tracing::info!("{error}; sending the blob from its start again");
            None
        } else if wants_chunks(&error) {
            tracing::info!("{error}; sending the blob in chunks instead");
            return chunks::send_blob(&mut upload, source).await;
        } else {
            let damaged = is_damage(&error);
            upload.attempts.failed(error).await?;
            // When all bytes were sent, perhaps only the answer was lost.
            let all_sent = upload.attempts.reached() == content.size;
            if all_sent && upload.is_complete().await? {
                return Ok(());
            }
            if damaged {
                None
            } else {
                upload.resume(session).await?
            }
        };
        let next = match resumed {
            Some(session) => Some(session),
            None => upload.begin(None).await?,
        };
        let Some(next) = next else { return Ok(()) };
        session = next;
    }
}

/// Sends all bytes that the registry lacks, and closes the session.
async fn send_rest(
    upload: &mut BlobUpload<'_>,
    source: &dyn Source,
    session: &Session,
) -> Result<(), Error> {
    let content = upload.content;
    let length = content.size.saturating_sub(session.offset);
    let mut request = upload.closing_request(session, length)?;
    if session.offset > 0 && length > 0 {
        let range = content_range(session.offset, length);
        request.headers.insert(CONTENT_RANGE, range);
    }
    let limit = upload.attempts.stall_timeout();
    let body = BlobBody::new(content, source, &request.what, session.offset, limit);
    let endpoint = &upload.repository.endpoint;
    let response = endpoint
        .exchange_once(&request, &Payload::Blob(&body), limit)
        .await;
    let (moved, position) = body.reached();
    upload.attempts.moved_at(moved, position);
    endpoint.check(response?, &request).await.map(drop)
}

/// Returns whether `error` means that the registry, or a proxy in front of it, accepts no blob in one
/// request.
pub(crate) fn wants_chunks(error: &Error) -> bool {
    let status = error_status(error).map(|status| status.as_u16());
    !is_damage(error) && matches!(status, Some(400 | 405 | 411 | 413 | 415 | 416 | 501))
}
