//! Sending a blob as one stream: a POST that opens a session, and a PUT with all bytes.
//!
//! This is the fastest way, and every registry supports it (OCI distribution specification, "POST then PUT"). An
//! interrupted upload continues with the bytes that the registry lacks. When the registry, or a proxy in front of it,
//! refuses a large request, the blob is sent in chunks.

use reqwest::header::CONTENT_RANGE;
use reqwest::{Method, StatusCode};

use crate::content::{Descriptor, Source};
use crate::oci::error::Error;

use super::super::http::{
    BlobBody, Payload, error_status, is_client_error, is_damage, is_forgotten,
};
use super::super::repository_endpoint::RepositoryEndpoint;
use super::cancel::{cancel, is_worth_trying};
use super::chunks::{self, SMALLEST_CHUNK, too_large};
use super::kept::Kept;
use super::session::{BlobUpload, Session, content_range};

/// How many connections have to break in a row before chunks are tried. A proxy with a limit on the size of requests
/// breaks the connection, and its answer may be lost.
const SUSPICIOUS: u32 = 3;
/// How many times a registry may forget an upload in one request before chunks are tried. A registry that does not support
/// such uploads gives the same answer as one that has forgotten them.
const FORGOTTEN_WHOLE: u32 = 2;

/// A blob that was sent.
pub(super) struct SentBlob {
    /// How many bytes an earlier upload had sent.
    pub(super) existing: u64,
    /// Whether the registry has named the digest of the blob.
    pub(super) is_named: bool,
}

/// Sends a blob in the session of an interrupted earlier upload, in `session`, or in a new session. Cancels a failed
/// upload, unless the registry does not answer.
pub(super) async fn send_blob(
    repository: &RepositoryEndpoint,
    content: &Descriptor,
    session: Option<Session>,
    source: &dyn Source,
) -> Result<SentBlob, Error> {
    let mut upload = BlobUpload::new(repository, content);
    upload.kept = Kept::find(repository, content).await;
    let session = match upload.earlier().await {
        Some(earlier) => {
            if let Some(session) = session {
                let request = upload.request(Method::DELETE, &session)?;
                cancel(&repository.endpoint, &request).await;
            }
            upload.continued = earlier.offset;
            Some(earlier)
        }
        None => session,
    };
    let sent = send(&mut upload, session, source).await;
    if let Err(error) = &sent
        && is_worth_trying(error)
    {
        upload.cancel().await;
    }
    sent?;
    upload.kept.forget().await;
    Ok(SentBlob {
        existing: upload.continued,
        is_named: upload.is_named,
    })
}

async fn send(
    upload: &mut BlobUpload<'_>,
    session: Option<Session>,
    source: &dyn Source,
) -> Result<(), Error> {
    let content = upload.content;
    let mut session = match session {
        Some(session) => upload.opened(session).await,
        None => upload.begin().await?,
    };
    let (mut cuts, mut has_tried_chunks) = (0, false);
    loop {
        let Err(error) = send_rest(upload, source, &session).await else {
            return Ok(());
        };
        let is_cut = matches!(error, Error::Interrupted { .. });
        cuts = if is_cut { cuts + 1 } else { 0 };
        upload.must_await_answer = is_cut;
        let resumed = if session.resumed && is_too_large(&error) {
            tracing::info!("{error}; sending the rest in chunks instead");
            let session = upload.resume(session).await?;
            return chunks::send_blob(upload, session, source).await;
        } else if session.resumed && is_client_error(&error) {
            tracing::info!("{error}; sending the blob from its start again");
            None
        } else if is_forgotten(&error)
            && !(wants_chunks(&error) && upload.forgotten() >= FORGOTTEN_WHOLE)
        {
            upload.was_forgotten(error)?;
            None
        } else if wants_chunks(&error) {
            tracing::info!("{error}; sending the blob in chunks instead");
            return match send_chunks(upload, source).await {
                Err(refusal) if knows_no_chunks(&refusal) => Err(too_large(error, content.size)),
                sent => sent,
            };
        } else {
            if cuts >= SUSPICIOUS && !has_tried_chunks && content.size > SMALLEST_CHUNK {
                tracing::info!("{error}; sending the blob in chunks, in case there is a limit");
                has_tried_chunks = true;
                match send_chunks(upload, source).await {
                    Err(refusal) if knows_no_chunks(&refusal) => {}
                    sent => return sent,
                }
            }
            let damaged = is_damage(&error);
            upload.attempts.failed(error).await?;
            // When all bytes were sent, only the answer may have been lost.
            let all_sent = upload.attempts.reached() == content.size;
            if all_sent && upload.is_complete().await? {
                return Ok(());
            }
            if damaged {
                upload.cancel().await;
                None
            } else {
                upload.resume(session).await?
            }
        };
        session = match resumed {
            Some(resumed) => {
                cuts = 0;
                resumed
            }
            None => upload.begin().await?,
        };
    }
}

/// Sends the whole blob in chunks, in a new session.
async fn send_chunks(upload: &mut BlobUpload<'_>, source: &dyn Source) -> Result<(), Error> {
    upload.cancel().await;
    chunks::send_blob(upload, None, source).await
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
    let body = body.after_head(upload.must_await_answer);
    let endpoint = &upload.repository.endpoint;
    let response = endpoint
        .exchange_once(&request, &Payload::Blob(&body), limit)
        .await;
    let (moved, position) = body.reached();
    upload.attempts.moved_at(moved, position);
    let response = endpoint.check(response?, &request).await?;
    upload.ended(&response);
    Ok(())
}

/// Returns whether `error` means that the registry, or a proxy in front of it, does not accept the blob in one request.
pub(crate) fn wants_chunks(error: &Error) -> bool {
    let status = error_status(error).map(|status| status.as_u16());
    !is_damage(error) && matches!(status, Some(400 | 405 | 411 | 413 | 415 | 416 | 501))
}

/// Returns whether `error` means that the registry, or a proxy in front of it, does not accept a request of this size.
fn is_too_large(error: &Error) -> bool {
    error_status(error) == Some(StatusCode::PAYLOAD_TOO_LARGE)
}

/// Returns whether `error` means that the registry accepts no chunks at all.
fn knows_no_chunks(error: &Error) -> bool {
    let status = error_status(error).map(|status| status.as_u16());
    matches!(status, Some(405 | 415 | 501))
}
