//! Sending a blob: one POST for a place to upload to, one streamed PUT. That is the fastest way, and the
//! one that every registry takes (OCI distribution specification, "POST then PUT"). It goes on from what
//! the registry has when it breaks off, and in chunks (`chunks.rs`) when the registry refuses it.

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode};

use crate::content::{Descriptor, Source};

use super::super::error::Error;
use super::hosted::HostedRepository;
use super::outgoing::Outgoing;
use super::retry::{Attempts, is_damage, is_transient};
use super::transport::{Call, Payload, Scope};
use super::upload_session::Session;

pub(super) const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

impl HostedRepository {
    pub(super) async fn send_blob(
        &self,
        content: &Descriptor,
        from: Option<&str>,
        source: &dyn Source,
    ) -> Result<(), Error> {
        let mut attempts = self.transport.attempts();
        let other = from.filter(|from| *from != self.name);
        let Some(mut session) = self.begin(content, other, &mut attempts).await? else {
            return Ok(());
        };
        loop {
            let sent = self.send_rest(content, source, &session, &mut attempts);
            let Err(error) = sent.await else {
                return Ok(());
            };
            let resumed = if session.resumed && is_refusal(&error) {
                tracing::info!("{error}; it is sent from its start again");
                None
            } else if wants_chunks(&error) {
                tracing::info!("{error}; it is sent in chunks instead");
                return self.send_chunks(content, source, &mut attempts).await;
            } else {
                let damaged = is_damage(&error);
                attempts.failed(error).await?;
                // Only the answer may have been lost.
                let complete = attempts.reached() == content.size;
                if complete && self.arrived(content, &mut attempts).await? {
                    return Ok(());
                }
                match damaged {
                    true => None,
                    false => self.resume(content, session, &mut attempts).await?,
                }
            };
            session = match resumed {
                Some(session) => session,
                None => match self.begin(content, None, &mut attempts).await? {
                    Some(session) => session,
                    None => return Ok(()),
                },
            };
        }
    }

    /// Sends everything that the session does not have yet, and closes it.
    async fn send_rest(
        &self,
        content: &Descriptor,
        source: &dyn Source,
        session: &Session,
        attempts: &mut Attempts,
    ) -> Result<(), Error> {
        let mut call = self.closing_call(content, session)?;
        let length = content.size.saturating_sub(session.offset);
        call.headers.insert(CONTENT_LENGTH, length.into());
        if session.offset > 0 && length > 0 {
            call.headers
                .insert(CONTENT_RANGE, content_range(session.offset, length));
        }
        let stall_timeout = attempts.stall_timeout();
        let outgoing = Outgoing::new(content, source, &call.what, session.offset, stall_timeout);
        let payload = Payload::Stream(&outgoing);
        let response = self.transport.exchange_once(&call, &payload, stall_timeout);
        let response = response.await;
        let (moved, position) = outgoing.reached();
        attempts.moved_at(moved, position);
        self.transport.check(response?, &call).await.map(drop)
    }

    /// The request that ends a session: what has arrived is the content.
    pub(super) fn closing_call(
        &self,
        content: &Descriptor,
        session: &Session,
    ) -> Result<Call, Error> {
        let mut call = self.session_call(Method::PUT, content, session.url.clone())?;
        call.url
            .query_pairs_mut()
            .append_pair("digest", &content.digest.to_string());
        call.headers.insert(CONTENT_TYPE, OCTETS);
        Ok(call)
    }

    /// Whether the registry has the content by now.
    pub(super) async fn arrived(
        &self,
        content: &Descriptor,
        attempts: &mut Attempts,
    ) -> Result<bool, Error> {
        let call = self.blob_call(Method::HEAD, content, Scope::PUSH)?;
        let nothing = Bytes::new();
        let response = self
            .transport
            .exchange_within(attempts, &call, nothing)
            .await?;
        Ok(response.status().is_success())
    }
}

/// `Content-Range` of an upload: the first byte and the last (OCI distribution specification).
pub(super) fn content_range(start: u64, length: u64) -> HeaderValue {
    let last = start + length - 1;
    HeaderValue::try_from(format!("{start}-{last}")).unwrap_or(HeaderValue::from_static(""))
}

fn status(error: &Error) -> Option<StatusCode> {
    match error {
        Error::NotFound { answer, .. } | Error::Refused { answer, .. } => {
            StatusCode::from_u16(answer.status).ok()
        }
        _ => None,
    }
}

/// Whether the registry has understood, and does not want it.
pub(super) fn is_refusal(error: &Error) -> bool {
    status(error).is_some_and(|status| status.is_client_error() && !is_transient(status))
}

/// Whether the registry, or a proxy before it, takes no blob in one request.
pub(super) fn wants_chunks(error: &Error) -> bool {
    let status = status(error).map(|status| status.as_u16());
    !is_damage(error) && matches!(status, Some(400 | 405 | 411 | 413 | 415 | 416 | 501))
}
