//! Sending a blob in chunks, for registries and proxies that take none in one request.

use bytes::{Bytes, BytesMut};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, LOCATION};
use tokio::io::AsyncReadExt;

use crate::content::{Descriptor, Reader, Source, VerifyReader};

use super::super::error::Error;
use super::blob_upload::{OCTETS, content_range, is_refusal};
use super::hosted::HostedRepository;
use super::outgoing::{Outgoing, source_error};
use super::retry::{Attempts, is_damage};
use super::transport::{Call, Payload};
use super::upload_session::{Session, location};

/// How much is sent at a time, in bytes: as much as ghcr.io takes.
const CHUNK: u64 = 4 * 1024 * 1024;
/// The largest chunk that a registry may ask for; a chunk is held in memory.
const LARGEST_CHUNK: u64 = 16 * 1024 * 1024;

impl HostedRepository {
    /// Sends the whole content, PATCH by PATCH, and closes the upload.
    pub(super) async fn send_chunks(
        &self,
        content: &Descriptor,
        source: &dyn Source,
        attempts: &mut Attempts,
    ) -> Result<(), Error> {
        loop {
            let Some(session) = self.begin(content, None, attempts).await? else {
                return Ok(());
            };
            let reader = VerifyReader::new(source.open(0).await?, content);
            let Some(session) = self.send_all(content, reader, session, attempts).await? else {
                // The upload is lost, and the wait for another attempt is over.
                continue;
            };
            let mut call = self.closing_call(content, &session)?;
            call.headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
            let response = self
                .transport
                .exchange_within(attempts, &call, Bytes::new());
            match self.transport.check(response.await?, &call).await {
                Ok(_) => return Ok(()),
                Err(error) if is_damage(&error) => attempts.failed(error).await?,
                // The upload is gone when it was closed before, and the answer to that was lost.
                Err(_) if self.arrived(content, attempts).await? => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends chunk after chunk. `None` when the upload has to begin anew.
    async fn send_all(
        &self,
        content: &Descriptor,
        mut reader: VerifyReader<Reader>,
        mut session: Session,
        attempts: &mut Attempts,
    ) -> Result<Option<Session>, Error> {
        let what = format!("blob {} of {}", content.digest, self.location());
        let size = self.chunk_size(&what, &session)?;
        loop {
            let mut chunk = BytesMut::new();
            let mut part = (&mut reader).take(size);
            while part.limit() > 0 {
                let read = part.read_buf(&mut chunk).await;
                if read.map_err(|error| source_error(&what, error))? == 0 {
                    break;
                }
            }
            let start = session.offset;
            let last = (chunk.len() as u64) < size || start + size >= content.size;
            if last {
                // Content that has changed while it was sent must not arrive complete.
                let verified = reader.finish_async().await;
                verified.map_err(|error| source_error(&what, error))?;
                return self
                    .send_chunk(content, chunk.freeze(), session, attempts)
                    .await;
            }
            let sent = self.send_chunk(content, chunk.freeze(), session, attempts);
            match sent.await? {
                Some(next) => session = next,
                None => return Ok(None),
            }
        }
    }

    /// Sends the chunk that follows on what the session has, and gives the session as it is then.
    async fn send_chunk(
        &self,
        content: &Descriptor,
        chunk: Bytes,
        mut session: Session,
        attempts: &mut Attempts,
    ) -> Result<Option<Session>, Error> {
        let start = session.offset;
        let end = start + chunk.len() as u64;
        while session.offset < end {
            let sent = session.offset.checked_sub(start);
            let rest = sent.and_then(|sent| usize::try_from(sent).ok());
            let Some(rest) = rest.map(|rest| chunk.slice(rest.min(chunk.len())..)) else {
                // The registry has lost what it had.
                return Ok(None);
            };
            let call = self.chunk_call(content, &session, rest.len() as u64)?;
            let piece = Descriptor::of("", &rest);
            let stall_timeout = attempts.stall_timeout();
            let outgoing = Outgoing::new(&piece, &rest, &call.what, 0, stall_timeout);
            let payload = Payload::Stream(&outgoing);
            let sent = match self
                .transport
                .exchange_once(&call, &payload, stall_timeout)
                .await
            {
                Ok(response) => self.transport.check(response, &call).await,
                Err(error) => Err(error),
            };
            let (moved, _) = outgoing.reached();
            attempts.moved_at(moved, session.offset);
            match sent {
                Ok(response) => {
                    // Whatever the status among the good ones, and whatever `Range` says: Amazon ECR
                    // answers 201 with a stale one. The digest decides in the end.
                    if response.headers().contains_key(LOCATION) {
                        session.url = location(&response, &call)?;
                    }
                    session.offset = end;
                    session.resumed = false;
                    attempts.moved_to(end);
                }
                Err(error) if session.resumed && is_refusal(&error) => return Ok(None),
                Err(error) => {
                    attempts.failed(error).await?;
                    match self.resume(content, session, attempts).await? {
                        Some(resumed) => session = resumed,
                        None => return Ok(None),
                    }
                }
            }
        }
        Ok((session.offset == end).then_some(session))
    }

    /// The request with the chunk that follows on what the session has.
    pub(super) fn chunk_call(
        &self,
        content: &Descriptor,
        session: &Session,
        length: u64,
    ) -> Result<Call, Error> {
        let mut call = self.session_call(Method::PATCH, content, session.url.clone())?;
        call.headers.insert(CONTENT_TYPE, OCTETS);
        call.headers.insert(CONTENT_LENGTH, length.into());
        call.headers
            .insert(CONTENT_RANGE, content_range(session.offset, length));
        Ok(call)
    }

    fn chunk_size(&self, what: &str, session: &Session) -> Result<u64, Error> {
        let smallest = session.smallest_chunk;
        if smallest > LARGEST_CHUNK {
            return Err(Error::Location {
                what: what.to_owned(),
                registry: self.registry.clone(),
                reason: format!("it takes no chunk of less than {smallest} bytes"),
            });
        }
        Ok(smallest.max(CHUNK))
    }
}
