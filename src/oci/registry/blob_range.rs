//! Asking for what is missing of a blob, and whether an answer is that.

use std::ops::Range;
use std::time::Duration;

use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE,
};
use reqwest::{Method, Response, StatusCode};

use super::super::error::{Error, one_line};
use super::download::Download;
use super::hosted::Announced;
use super::transport::{Call, Payload, Scope, address};

impl Download {
    /// What the next request is to ask for.
    fn asked(&self) -> Range<u64> {
        let end = self.position.saturating_add(self.at_once);
        self.position..self.end.min(end)
    }

    pub(super) fn call(&self) -> Result<Call, Error> {
        let mut call = self
            .host
            .blob_call(Method::GET, &self.content, Scope::PULL)?;
        let Range { start, end } = self.asked();
        let whole = start == 0 && end == self.content.size;
        if !whole && self.ranges {
            let range = format!("bytes={start}-{}", end.saturating_sub(1));
            if let Ok(range) = HeaderValue::from_str(&range) {
                call.headers.insert(RANGE, range);
            }
            if let Some(etag) = &self.etag {
                call.headers.insert(IF_RANGE, etag.clone());
            }
        }
        Ok(call)
    }

    /// Sends a request. Gives the answer, when it holds what is missing, and the bytes of the blob that
    /// it holds. The host may be silent for `limit`.
    pub(super) async fn ask(
        &self,
        call: &Call,
        limit: Duration,
    ) -> Result<(Response, Range<u64>), Error> {
        let transport = &self.host.transport;
        let response = transport
            .exchange_once(call, &Payload::Empty, limit)
            .await?;
        // Not even on the same host: it may be another one that has sent us back there.
        if self.first_hand && *response.url() != call.url {
            return Err(Error::SecondHand {
                what: call.what.clone(),
                registry: call.registry.clone(),
                from: address(response.url()),
            });
        }
        let partial = call.headers.contains_key(RANGE);
        if partial && response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Err(self.range_ignored(call, "HTTP 416".to_owned()));
        }
        let response = transport.check(response, call).await?;
        if partial && response.status() == StatusCode::PARTIAL_CONTENT {
            self.check_partial(&response, call)?;
            return Ok((response, self.asked()));
        }
        if self.position > 0 && !self.may_skip() || self.end < self.content.size {
            let status = response.status().as_u16();
            return Err(self.range_ignored(call, format!("HTTP {status}")));
        }
        self.check_whole(&response, call)?;
        Ok((response, 0..self.content.size))
    }

    fn check_whole(&self, response: &Response, call: &Call) -> Result<(), Error> {
        let announced = Announced::from(response.headers());
        let size = announced.size.filter(|size| *size != self.content.size);
        match size {
            None if response.status() == StatusCode::OK => Ok(()),
            None => {
                let status = response.status().as_u16();
                Err(self.contradiction(call, format!("an answer with HTTP {status}")))
            }
            Some(size) => Err(self.contradiction(call, format!("{size} bytes"))),
        }
    }

    fn check_partial(&self, response: &Response, call: &Call) -> Result<(), Error> {
        let size = self.content.size;
        let text = |name: HeaderName| text(response.headers(), &name);
        let given = text(CONTENT_RANGE).unwrap_or_default();
        let Range { start, end } = self.asked();
        let expected = format!("bytes {start}-{}/", end.saturating_sub(1));
        let total = given.strip_prefix(&expected);
        if !total.is_some_and(|total| total == "*" || total == size.to_string()) {
            let reason = format!("Content-Range is `{given}`, not `{expected}{size}`");
            return Err(self.range_ignored(call, reason));
        }
        match text(CONTENT_LENGTH) {
            Some(length) if length != (end - start).to_string() => {
                Err(self.range_ignored(call, format!("Content-Length is {length}")))
            }
            _ => Ok(()),
        }
    }

    /// A body ended well, and short.
    pub(super) fn ended_early(&self, call: &Call) -> Error {
        self.contradiction(call, format!("{} bytes", self.position))
    }

    fn contradiction(&self, call: &Call, actual: String) -> Error {
        Error::Contradiction {
            what: call.what.clone(),
            announced: format!("{} bytes", self.content.size),
            actual,
        }
    }

    fn range_ignored(&self, call: &Call, reason: String) -> Error {
        Error::RangeIgnored {
            what: call.what.clone(),
            registry: call.registry.clone(),
            reason,
        }
    }
}

/// The name that the registry gives to exactly these bytes (RFC 9110, "Strong and Weak Validators").
pub(super) fn strong_etag(headers: &HeaderMap) -> Option<HeaderValue> {
    let etag = headers.get(ETAG)?;
    etag.as_bytes().starts_with(b"\"").then(|| etag.clone())
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(one_line(value))
}
