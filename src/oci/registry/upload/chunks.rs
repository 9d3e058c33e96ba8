//! Sending a blob in chunks, for registries and proxies that do not accept it in one request.

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt;

use crate::content::{Descriptor, Reader, Source, VerifyReader};
use crate::oci::error::Error;

use super::super::http::{BlobBody, Payload, is_client_error, is_damage, source_error};
use super::session::{BlobUpload, Session};

/// The size of a chunk, in bytes: the largest that ghcr.io accepts.
const CHUNK: u64 = 4 * 1024 * 1024;
/// The largest chunk that a registry may ask for. A chunk is held in memory.
const LARGEST_CHUNK: u64 = 16 * 1024 * 1024;

/// Sends the whole blob, chunk after chunk, and closes the session.
pub(super) async fn send_blob(
    upload: &mut BlobUpload<'_>,
    source: &dyn Source,
) -> Result<(), Error> {
    loop {
        let Some(session) = upload.begin(None).await? else {
            return Ok(());
        };
        let reader = VerifyReader::new(source.open(0).await?, upload.content);
        let Some(session) = send_all(upload, reader, session).await? else {
            // The session is lost, and the wait for another attempt is over.
            continue;
        };
        let request = upload.closing_request(&session, 0)?;
        let response = upload.exchange(&request).await?;
        match upload.repository.endpoint.check(response, &request).await {
            Ok(_) => return Ok(()),
            Err(error) if is_damage(&error) => upload.attempts.failed(error).await?,
            // The session is gone when it was closed before, and the answer to that was lost.
            Err(_) if upload.is_complete().await? => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Sends chunk after chunk. `None`: the upload has to begin anew.
async fn send_all(
    upload: &mut BlobUpload<'_>,
    mut reader: VerifyReader<Reader>,
    mut session: Session,
) -> Result<Option<Session>, Error> {
    let content = upload.content;
    let location = upload.repository.location();
    let what = format!("blob {} of {location}", content.digest);
    let size = chunk_size(upload, &what, &session)?;
    loop {
        let mut chunk = BytesMut::new();
        let mut part = (&mut reader).take(size);
        while part.limit() > 0 {
            let read = part.read_buf(&mut chunk).await;
            if read.map_err(|error| source_error(&what, error))? == 0 {
                break;
            }
        }
        let is_last = (chunk.len() as u64) < size || session.offset + size >= content.size;
        if is_last {
            // Verified before the last chunk is sent: a source that has changed never arrives complete.
            let verified = reader.finish_async().await;
            verified.map_err(|error| source_error(&what, error))?;
            return send_chunk(upload, chunk.freeze(), session).await;
        }
        match send_chunk(upload, chunk.freeze(), session).await? {
            Some(next) => session = next,
            None => return Ok(None),
        }
    }
}

/// Sends the next chunk, and returns the session after it. `None`: the upload has to begin anew.
async fn send_chunk(
    upload: &mut BlobUpload<'_>,
    chunk: Bytes,
    mut session: Session,
) -> Result<Option<Session>, Error> {
    let start = session.offset;
    let end = start + chunk.len() as u64;
    while session.offset < end {
        let sent = session.offset.checked_sub(start);
        let sent = sent.and_then(|sent| usize::try_from(sent).ok());
        let Some(rest) = sent.map(|sent| chunk.slice(sent.min(chunk.len())..)) else {
            // The registry has lost bytes of earlier chunks.
            return Ok(None);
        };
        let request = upload.chunk_request(&session, rest.len() as u64)?;
        let piece = Descriptor::of("", &rest);
        let limit = upload.attempts.stall_timeout();
        let body = BlobBody::new(&piece, &rest, &request.what, 0, limit);
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
                // Status and `Range` of a successful answer do not count: Amazon ECR answers 201 with a
                // stale range. The digest decides in the end.
                session.follow(&response, &request)?;
                session.offset = end;
                session.resumed = false;
                upload.attempts.moved_to(end);
            }
            Err(error) if session.resumed && is_client_error(&error) => return Ok(None),
            Err(error) => {
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

fn chunk_size(upload: &BlobUpload<'_>, what: &str, session: &Session) -> Result<u64, Error> {
    let smallest = session.smallest_chunk;
    if smallest > LARGEST_CHUNK {
        return Err(Error::Location {
            what: what.to_owned(),
            registry: upload.repository.registry.clone(),
            reason: format!("it accepts no chunk of less than {smallest} bytes"),
        });
    }
    Ok(smallest.max(CHUNK))
}
