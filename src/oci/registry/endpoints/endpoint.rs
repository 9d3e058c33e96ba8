//! One endpoint of a registry.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode, Url};

use crate::content::{AnsweringHosts, Digest, ErrorKind, with_causes};
use crate::oci::error::Error;
use crate::oci::hosts::{Capability, Host};
use crate::oci::names::{authority, is_loopback_url};

use super::super::auth::Authenticator;
use super::super::http::{Attempts, Payload, Request, decode, is_transient};
use super::super::options::{RegistryOptions, RetryOptions};
use super::availability::Availability;
use super::transport::Transport;
use super::turns::{Turn, Turns};

/// The fewest bytes of a small body that are sent in a second. A slower transfer counts as stalled.
const SLOWEST: u64 = 64 * 1024;
/// How many times the longest silence it may take until an answer that is read as a whole is complete. An answer that
/// arrives in time piece by piece must end too.
const SILENCES: u32 = 10;
/// The most repositories for which the endpoint remembers that there is no referrers API.
const REMEMBERED: usize = 1000;
/// How long to wait for a mirror when the caller does not need an answer.
const HURRIED_MIRROR_TIMEOUT: Duration = Duration::from_secs(2);

/// A host that serves a registry, and the time limits for it. It is cheap to clone. Clones share connections, tokens
/// and the record of failures.
#[derive(Clone)]
pub(crate) struct Endpoint {
    shared: Arc<Shared>,
    retry: RetryOptions,
}

struct Shared {
    transport: Transport,
    capabilities: Vec<Capability>,
    availability: Availability,
    answering: Option<AnsweringHosts>,
    turns: Turns,
    /// The repositories for which the registry has no referrers API.
    without_referrers: Mutex<HashSet<String>>,
}

impl Endpoint {
    /// Sets up the endpoint for one of the hosts that serve `registry`. Blocks to read certificates.
    pub(super) fn new(
        registry: &str,
        host: Host,
        options: &RegistryOptions,
    ) -> Result<Self, Error> {
        Ok(Self {
            shared: Arc::new(Shared {
                transport: Transport::new(registry, &host, options)?,
                capabilities: host.capabilities,
                availability: Availability::default(),
                answering: options.answering.clone(),
                turns: Turns::default(),
                without_referrers: Mutex::default(),
            }),
            retry: options.retry.clone(),
        })
    }

    /// Returns the endpoint with the time limits for a mirror, or for a probe: one quick attempt.
    pub(crate) fn quick(&self) -> Self {
        self.with_retry(self.retry.for_mirror())
    }

    /// Returns the endpoint with the time limits for a mirror when the caller does not need an answer.
    pub(super) fn hurried_mirror(&self) -> Self {
        self.with_retry(self.retry.limited_to(HURRIED_MIRROR_TIMEOUT).for_mirror())
    }

    /// Returns the endpoint with a time limit of `limit` for each wait.
    pub(super) fn limited_to(&self, limit: Duration) -> Self {
        self.with_retry(self.retry.limited_to(limit))
    }

    fn with_retry(&self, retry: RetryOptions) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            retry,
        }
    }

    /// Returns the host, with its port if that is not the default.
    pub(crate) fn name(&self) -> &str {
        &self.shared.transport.name
    }

    /// Returns whether the endpoint may be asked for `capability`.
    pub(in crate::oci) fn can(&self, capability: Capability) -> bool {
        self.shared.capabilities.contains(&capability)
    }

    /// Returns whether this is a mirror, and not the registry itself.
    pub(crate) fn is_mirror(&self) -> bool {
        self.shared.transport.namespace.is_some()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Returns where the endpoint has `repository`: the host, the port and the path, without the scheme. One place may be
    /// reached with TLS or without.
    pub(crate) fn place_of(&self, repository: &str) -> String {
        let base = &self.shared.transport.base;
        let path = base.path().trim_end_matches('/');
        format!("{}{path}/{repository}", authority(base))
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback_url(&self.shared.transport.base)
    }

    pub(crate) fn accepts_any_certificate(&self) -> bool {
        self.shared.transport.accepts_any_certificate
    }

    pub(crate) fn url(&self, path: &str) -> Result<Url, Error> {
        self.shared.transport.url(path)
    }

    pub(crate) fn authenticator(&self) -> &Authenticator {
        &self.shared.transport.authenticator
    }

    /// Returns the lock for the tasks of this process that change `what`.
    pub(crate) fn turn(&self, what: &str) -> Turn {
        self.shared.turns.of(what)
    }

    /// Returns whether the registry may have the referrers API for a repository.
    pub(crate) fn may_list_referrers(&self, repository: &str) -> bool {
        let without = self.shared.without_referrers.lock();
        let without = without.unwrap_or_else(PoisonError::into_inner);
        !without.contains(repository)
    }

    /// Records that the registry has no referrers API for a repository, which exists.
    pub(crate) fn lists_no_referrers(&self, repository: &str) {
        let without = self.shared.without_referrers.lock();
        let mut without = without.unwrap_or_else(PoisonError::into_inner);
        if without.len() < REMEMBERED {
            without.insert(repository.to_owned());
        }
    }

    /// Records that an answer of this host was used.
    pub(crate) fn answered(&self) {
        if let Some(answering) = &self.shared.answering {
            answering.add(self.name());
        }
    }

    /// Records that this mirror failed, and that the next endpoint is asked instead.
    pub(crate) fn failed(&self, error: &Error) {
        let (name, reason) = (self.name(), with_causes(error));
        tracing::info!("{reason}; asking the next host instead of {name}");
        // A mirror without byte ranges can still send whole content.
        let ignores_ranges = matches!(error, Error::RangeIgnored { .. });
        if error.is_out_of_reach() || error.kind() == ErrorKind::NotVerified && !ignores_ranges {
            self.shared.availability.failed(reason, None);
        }
    }

    /// Records that the mirror sent wrong bytes for the blob `digest`.
    pub(crate) fn report_corrupt(&self, digest: &Digest) {
        let (name, what) = (self.name(), format!("blob {digest}"));
        tracing::warn!("{name} sent wrong content for the {what}; it is not asked for a minute");
        let reason = format!("it sent wrong content for the {what}");
        self.shared
            .availability
            .failed(reason, Some(digest.clone()));
    }

    pub(crate) fn availability(&self) -> &Availability {
        &self.shared.availability
    }

    pub(crate) fn attempts(&self) -> Attempts {
        Attempts::new(&self.retry)
    }

    /// Sends `request` without a body, and returns the answer. A refusal is an error.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, Error> {
        let response = self.exchange(request, Bytes::new()).await?;
        self.check(response, request).await
    }

    /// Sends `request` without a body once, with the known authorization. The answer may be a refusal.
    pub(crate) async fn exchange_as_known(
        &self,
        request: &Request,
        limit: Duration,
    ) -> Result<Response, Error> {
        let transport = &self.shared.transport;
        transport.exchange_as_known(request, limit).await
    }

    /// Sends `request` with a small body until the endpoint answers. The answer may be a refusal.
    pub(crate) async fn exchange(&self, request: &Request, body: Bytes) -> Result<Response, Error> {
        self.exchange_within(&mut self.attempts(), request, body)
            .await
    }

    /// Sends `request` with a small body until the endpoint answers, as one step of a transfer.
    pub(crate) async fn exchange_within(
        &self,
        attempts: &mut Attempts,
        request: &Request,
        body: Bytes,
    ) -> Result<Response, Error> {
        let slowness = Duration::from_secs(body.len() as u64 / SLOWEST);
        let payload = if body.is_empty() {
            Payload::Empty
        } else {
            Payload::Bytes(body)
        };
        loop {
            let limit = attempts.stall_timeout() + slowness;
            let answer = match self.exchange_once(request, &payload, limit).await {
                // A refusal that may be temporary is an error.
                Ok(response) if is_transient(response.status()) => {
                    self.check(response, request).await
                }
                answer => answer,
            };
            match answer {
                Ok(response) => return Ok(response),
                Err(error) => attempts.failed(error).await?,
            }
        }
    }

    /// Sends a HEAD request until the endpoint answers. The answer may be a refusal, also with status 500, because some
    /// servers answer so to an unknown method. `None` when the connection ended without an answer.
    pub(crate) async fn head(&self, request: &Request) -> Result<Option<Response>, Error> {
        let mut attempts = self.attempts();
        loop {
            let limit = attempts.stall_timeout();
            let answer = match self.exchange_once(request, &Payload::Empty, limit).await {
                Ok(response)
                    if is_transient(response.status())
                        && response.status() != StatusCode::INTERNAL_SERVER_ERROR =>
                {
                    self.check(response, request).await
                }
                answer => answer,
            };
            match answer {
                Ok(response) => return Ok(Some(response)),
                Err(Error::Interrupted { .. }) => return Ok(None),
                Err(error) => attempts.failed(error).await?,
            }
        }
    }

    /// Sends `request`, and reads the whole answer of at most `limit` bytes.
    pub(crate) async fn read(
        &self,
        request: &Request,
        limit: u64,
    ) -> Result<(HeaderMap, Bytes), Error> {
        let mut attempts = self.attempts();
        loop {
            let silence = attempts.stall_timeout();
            let read = async {
                let response = self
                    .exchange_once(request, &Payload::Empty, silence)
                    .await?;
                let response = self.check(response, request).await?;
                let headers = response.headers().clone();
                let body = read_bounded(response, limit, request, silence);
                let longest = silence.saturating_mul(SILENCES);
                let body = tokio::time::timeout(longest, body).await;
                Ok((
                    headers,
                    body.unwrap_or_else(|_| Err(request.slow(longest)))?,
                ))
            };
            match read.await {
                Ok(answer) => return Ok(answer),
                Err(error) => attempts.failed(error).await?,
            }
        }
    }

    /// Sends `request`, and once more with another authorization after a refusal. The answer may be a refusal. Waits at
    /// most `limit` for the endpoint.
    pub(crate) async fn exchange_once(
        &self,
        request: &Request,
        payload: &Payload<'_>,
        limit: Duration,
    ) -> Result<Response, Error> {
        let transport = &self.shared.transport;
        // The future is boxed, because the compiler limits how deeply futures may be nested.
        Box::pin(transport.exchange(request, payload, limit)).await
    }

    /// Sends `request` once without credentials. The answer may be a refusal.
    pub(crate) async fn exchange_anonymously(&self, request: &Request) -> Result<Response, Error> {
        let limit = self.retry.longest_silence();
        self.shared
            .transport
            .exchange_anonymously(request, limit)
            .await
    }

    /// Returns the answer if it is a success, or else an error for the refusal.
    pub(crate) async fn check(
        &self,
        response: Response,
        request: &Request,
    ) -> Result<Response, Error> {
        let limit = self.retry.longest_silence();
        self.shared.transport.check(response, request, limit).await
    }
}

/// Reads the body of an answer of at most `limit` bytes. Fails when no byte arrives for `silence`.
async fn read_bounded(
    mut response: Response,
    limit: u64,
    request: &Request,
    silence: Duration,
) -> Result<Bytes, Error> {
    let (announced, headers) = (response.content_length(), response.headers().clone());
    if announced.is_none_or(|length| length <= limit) {
        let mut body = BytesMut::new();
        while body.len() as u64 <= limit {
            let next = async {
                let chunk = response.chunk().await;
                chunk.map_err(|error| request.failed(error))
            };
            match request.within(silence, next).await? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        if body.len() as u64 <= limit {
            let decoded = decode(&headers, body.freeze(), limit + 1);
            let decoded = decoded.map_err(|encoding| request.encoded(encoding))?;
            if decoded.len() as u64 <= limit {
                return Ok(decoded);
            }
        }
    }
    Err(Error::too_large(request.what.clone(), limit))
}
