//! Sending a blob in chunks, for registries and proxies that do not accept it in one request.

use bytes::{Bytes, BytesMut};
use reqwest::StatusCode;
use tokio::io::AsyncReadExt;

use crate::content::{Descriptor, Reader, Source, VerifyReader};
use crate::oci::error::{Error, UploadProblem};

use super::super::http::{
    BlobBody, Payload, error_status, is_client_error, is_damage, is_forgotten, source_error,
};
use super::session::{BlobUpload, Session};

/// The size of a chunk, in bytes. It is the largest chunk that ghcr.io accepts.
const CHUNK: u64 = 4 * 1024 * 1024;
/// The smallest chunk that is tried when larger ones are refused, in bytes. By default, nginx accepts 1 MiB.
pub(super) const SMALLEST_CHUNK: u64 = 256 * 1024;
/// By how much the size of chunks is divided after a chunk was too large.
const SHRINKING: u64 = 4;
/// The largest chunk for which a registry may ask, in bytes. A chunk is held in memory.
const LARGEST_CHUNK: u64 = 16 * 1024 * 1024;
/// How many connections have to break in a row before smaller chunks are sent.
const SUSPICIOUS: u32 = 2;

/// The size of chunks, and the smallest size that may be tried, in bytes.
#[derive(Clone, Copy)]
struct ChunkSize {
    size: u64,
    smallest: u64,
}

impl ChunkSize {
    /// Returns the next smaller size, if there is one.
    fn smaller(self) -> Option<u64> {
        let next = (self.size / SHRINKING).max(self.smallest);
        (next < self.size).then_some(next)
    }
}

/// Sends a blob chunk after chunk, and closes the session. Sends the bytes that the registry lacks in the session
/// `continued`, or the whole blob in a new session. When a chunk is too large, smaller chunks are tried.
pub(super) async fn send_blob(
    upload: &mut BlobUpload<'_>,
    mut continued: Option<Session>,
    source: &dyn Source,
) -> Result<(), Error> {
    let mut wanted = CHUNK;
    loop {
        let session = match continued.take() {
            Some(session) => session,
            None => upload.begin().await?,
        };
        let chunk = chunk_size(upload, wanted, &session)?;
        let reader = VerifyReader::new(source.open(0).await?, upload.content);
        let session = match send_all(upload, reader, session, chunk).await {
            Ok(Some(session)) => session,
            // The session is lost. The wait before the next attempt has ended already.
            Ok(None) => continue,
            Err(error) if is_too_large(&error) => match chunk.smaller() {
                Some(smaller) => {
                    tracing::info!("{error}; sending chunks of {smaller} bytes");
                    wanted = smaller;
                    upload.cancel().await;
                    continue;
                }
                None => return Err(too_large(error, chunk.size.min(upload.content.size))),
            },
            Err(error) => return Err(error),
        };
        let request = upload.closing_request(&session, 0)?;
        let response = upload.exchange(&request).await?;
        match upload.repository.endpoint.check(response, &request).await {
            Ok(response) => {
                upload.ended(&response);
                return Ok(());
            }
            Err(error) if is_damage(&error) => upload.attempts.failed(error).await?,
            // An earlier request may have closed the session, and its answer was lost.
            Err(_) if upload.is_complete().await? => return Ok(()),
            Err(error) if is_forgotten(&error) => upload.was_forgotten(error)?,
            Err(error) => return Err(error),
        }
    }
}

/// Sends chunk after chunk, and returns the session after the last one. `None` when the upload has to begin again.
async fn send_all(
    upload: &mut BlobUpload<'_>,
    mut reader: VerifyReader<Reader>,
    mut session: Session,
    chunk: ChunkSize,
) -> Result<Option<Session>, Error> {
    let content = upload.content;
    let location = upload.repository.location();
    let what = format!("blob {} of {location}", content.digest);
    let size = chunk.size;
    // The bytes that the registry has already are verified too.
    let mut start = (&mut reader).take(session.offset);
    let skipped = tokio::io::copy(&mut start, &mut tokio::io::sink()).await;
    skipped.map_err(|error| source_error(&what, error))?;
    loop {
        let mut bytes = BytesMut::new();
        let mut part = (&mut reader).take(size);
        while part.limit() > 0 {
            let read = part.read_buf(&mut bytes).await;
            if read.map_err(|error| source_error(&what, error))? == 0 {
                break;
            }
        }
        let is_last = (bytes.len() as u64) < size || session.offset + size >= content.size;
        if is_last {
            // The content is verified before the last chunk is sent, so that content that has changed is never sent
            // completely.
            let verified = reader.finish_async().await;
            verified.map_err(|error| source_error(&what, error))?;
            return send_chunk(upload, bytes.freeze(), session, chunk).await;
        }
        match send_chunk(upload, bytes.freeze(), session, chunk).await? {
            Some(next) => session = next,
            None => return Ok(None),
        }
    }
}

/// Sends the next chunk, and returns the session after it. `None` when the upload has to begin again. After an error
/// for which [`is_too_large`] returns `true`, smaller chunks have to be tried.
async fn send_chunk(
    upload: &mut BlobUpload<'_>,
    bytes: Bytes,
    mut session: Session,
    chunk: ChunkSize,
) -> Result<Option<Session>, Error> {
    let start = session.offset;
    let end = start + bytes.len() as u64;
    while session.offset < end {
        let sent = session.offset.checked_sub(start);
        let sent = sent.and_then(|sent| usize::try_from(sent).ok());
        let Some(rest) = sent.map(|sent| bytes.slice(sent.min(bytes.len())..)) else {
            // The registry has lost bytes of earlier chunks.
            return Ok(None);
        };
        let request = upload.chunk_request(&session, rest.len() as u64)?;
        let piece = Descriptor::of("", &rest);
        let limit = upload.attempts.stall_timeout();
        let body = BlobBody::new(&piece, &rest, &request.what, 0, limit);
        let body = body.after_head(upload.must_await_answer);
        let endpoint = &upload.repository.endpoint;
        let payload = Payload::Blob(&body);
        let sent = endpoint.exchange_once(&request, &payload, limit).await;
        let sent = match sent {
            Ok(response) => endpoint.check(response, &request).await,
            Err(error) => Err(error),
        };
        let (moved, _) = body.reached();
        upload.attempts.moved_at(moved, session.offset);
        match sent {
            Ok(response) => {
                // The status and the `Range` of a successful answer are ignored, because Amazon ECR answers 201 with an
                // old range. The registry compares the digest at the end.
                upload.follow(&mut session, &response, &request).await?;
                session.offset = end;
                session.resumed = false;
                upload.must_await_answer = false;
                upload.attempts.moved_to(end);
            }
            Err(error) if error_status(&error) == Some(StatusCode::PAYLOAD_TOO_LARGE) => {
                return Err(error);
            }
            Err(error) if session.resumed && is_client_error(&error) => return Ok(None),
            Err(error) if is_forgotten(&error) => {
                upload.was_forgotten(error)?;
                return Ok(None);
            }
            Err(error) => {
                upload.must_await_answer = is_cut(&error);
                let suspicious = upload.attempts.failures() >= SUSPICIOUS;
                if upload.must_await_answer && suspicious && chunk.smaller().is_some() {
                    return Err(error);
                }
                upload.attempts.failed(error).await?;
                match upload.resume(session).await? {
                    Some(resumed) => session = resumed,
                    None => return Ok(None),
                }
            }
        }
    }
    Ok((session.offset == end).then_some(session))
}

/// Returns the size of chunks: `wanted`, or the smallest size that the registry accepts if that is larger.
fn chunk_size(upload: &BlobUpload<'_>, wanted: u64, session: &Session) -> Result<ChunkSize, Error> {
    let smallest = session.smallest_chunk;
    if smallest > LARGEST_CHUNK {
        return Err(Error::Location {
            what: format!(
                "blob {} of {}",
                upload.content.digest,
                upload.repository.location()
            ),
            registry: upload.repository.registry.clone(),
            reason: format!("it accepts no chunk of less than {smallest} bytes"),
        });
    }
    Ok(ChunkSize {
        size: smallest.max(wanted),
        smallest: smallest.max(SMALLEST_CHUNK),
    })
}

/// Returns whether `error` for a chunk may mean that a smaller chunk would be accepted.
fn is_too_large(error: &Error) -> bool {
    error_status(error) == Some(StatusCode::PAYLOAD_TOO_LARGE) || is_cut(error)
}

fn is_cut(error: &Error) -> bool {
    matches!(error, Error::Interrupted { .. })
}

/// Turns `error` into the error about a request of `size` bytes, if it says that the request is too large. Returns any
/// other error unchanged.
pub(super) fn too_large(error: Error, size: u64) -> Error {
    match error {
        Error::Refused {
            what,
            registry,
            answer,
        } if answer.status == StatusCode::PAYLOAD_TOO_LARGE.as_u16() => Error::Upload {
            what,
            registry,
            problem: UploadProblem::TooLarge { size, answer },
        },
        error => error,
    }
}
