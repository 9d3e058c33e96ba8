//! Requests with small bodies and answers, repeated until one succeeds or there is no point.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::HeaderMap;

use super::super::error::Error;
use super::retry::{Attempts, is_transient};
use super::transport::{Call, Payload, Transport};

/// How many bytes of a manifest go out in a second at least; slower than that it counts as stalled.
const SLOWEST: u64 = 64 * 1024;

impl Transport {
    /// For work that is tried more than once.
    pub(super) fn attempts(&self) -> Attempts {
        Attempts::new(&self.retry)
    }

    /// Sends `call` without a body, and gives the answer when it is a good one.
    pub(super) async fn send(&self, call: &Call) -> Result<Response, Error> {
        let response = self.exchange(call, Bytes::new()).await?;
        self.check(response, call).await
    }

    /// Sends `call` with a small body until the registry answers; the answer may be a refusal.
    pub(super) async fn exchange(&self, call: &Call, body: Bytes) -> Result<Response, Error> {
        self.exchange_within(&mut self.attempts(), call, body).await
    }

    /// The same as one step of work that is tried more than once.
    pub(super) async fn exchange_within(
        &self,
        attempts: &mut Attempts,
        call: &Call,
        body: Bytes,
    ) -> Result<Response, Error> {
        loop {
            match self.try_exchange(attempts, call, body.clone()).await {
                Ok(response) => return Ok(response),
                Err(error) => attempts.failed(error).await?,
            }
        }
    }

    /// One attempt at an exchange. A refusal that may pass is an error.
    pub(super) async fn try_exchange(
        &self,
        attempts: &Attempts,
        call: &Call,
        body: Bytes,
    ) -> Result<Response, Error> {
        let slowness = Duration::from_secs(body.len() as u64 / SLOWEST);
        let payload = match body.is_empty() {
            true => Payload::Empty,
            false => Payload::Bytes(body),
        };
        let limit = attempts.stall_timeout() + slowness;
        let response = self.exchange_once(call, &payload, limit).await?;
        match is_transient(response.status()) {
            true => self.check(response, call).await,
            false => Ok(response),
        }
    }

    /// Sends `call`, and reads the answer whole, at most `limit` bytes of it.
    pub(super) async fn read(&self, call: &Call, limit: u64) -> Result<(HeaderMap, Bytes), Error> {
        let mut attempts = self.attempts();
        loop {
            match self.try_read(&attempts, call, limit).await {
                Ok(answer) => return Ok(answer),
                Err(error) => attempts.failed(error).await?,
            }
        }
    }

    async fn try_read(
        &self,
        attempts: &Attempts,
        call: &Call,
        limit: u64,
    ) -> Result<(HeaderMap, Bytes), Error> {
        let silence = attempts.stall_timeout();
        let response = self.exchange_once(call, &Payload::Empty, silence).await?;
        let response = self.check(response, call).await?;
        let headers = response.headers().clone();
        let body = self.read_bounded(response, limit, call);
        Ok((headers, call.within(silence, body).await?))
    }
}
