//! The one place that sends requests.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};

use super::super::credentials::Credentials;
use super::super::error::{Error, TlsProblem, one_line};
use super::super::hosts::Host;
use super::super::names::{authority, is_loopback_url};
use super::RegistryOptions;
use super::address::{base_of, is_at};
use super::answer;
use super::auth::Authenticator;
use super::clients::Clients;
use super::outgoing::Outgoing;
use super::retry::RetryOptions;
use super::warnings::Warnings;

/// How long it may take to say who is asking: a credential helper has 20 seconds for it, a token service
/// 30, and somebody else may be at it already.
const INTRODUCTION: Duration = Duration::from_secs(60);

/// What a request needs permission for, in the words of the token specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Scope(pub(super) &'static str);

impl Scope {
    pub(super) const PULL: Self = Self("pull");
    pub(super) const PUSH: Self = Self("pull,push");
    pub(super) const DELETE: Self = Self("delete");
    /// For the registry as a whole.
    pub(super) const NONE: Self = Self("");
}

/// A request that can be sent more than once.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) registry: String,
    pub(super) repository: String,
    pub(super) scope: Scope,
    /// What the request is about, for messages.
    pub(super) what: String,
    pub(super) headers: HeaderMap,
}

impl Call {
    /// The URL for messages: without the query, which may hold signatures.
    pub(super) fn address(&self) -> String {
        address(&self.url)
    }

    pub(super) fn reads(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// Lets work for this call go on, but no longer than `limit`.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(limit, work).await {
            Ok(done) => done,
            Err(_) => Err(self.stalled(limit)),
        }
    }

    /// The error for a call during which nothing moved for so long.
    pub(super) fn stalled(&self, limit: Duration) -> Error {
        Error::Stalled {
            what: self.what.clone(),
            address: self.address(),
            seconds: limit.as_secs(),
        }
    }
}

/// What goes along with a request; all of it can be sent again.
pub(super) enum Payload<'a> {
    Empty,
    Bytes(Bytes),
    Stream(&'a Outgoing<'a>),
}

pub(super) fn address(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// The way to one host. Cheap to clone.
#[derive(Clone)]
pub(super) struct Transport {
    clients: Clients,
    authenticator: Arc<Authenticator>,
    pub(super) retry: RetryOptions,
    /// Where its API begins.
    base: Url,
    /// What credentials are stored under, and messages are about.
    name: String,
    /// The registry that it stands in for (containerd's `docs/hosts.md`, "ns").
    namespace: Option<String>,
    /// What is sent along with each request.
    headers: HeaderMap,
    accepts_any_certificate: bool,
    warnings: Arc<Warnings>,
}

impl Transport {
    /// The way to one of the hosts that serve `registry`.
    pub(super) fn new(
        registry: &str,
        host: &Host,
        options: &RegistryOptions,
    ) -> Result<Self, Error> {
        let base = match &host.base {
            Some(base) => base.clone(),
            None => base_of(registry, host, options)?,
        };
        let itself = is_at(registry, &base);
        let clients = Clients::new(options, host, &base, itself)?;
        let mut credentials = options.credentials.clone();
        if !itself {
            // They are for the registry that was named.
            credentials.explicit = None;
        }
        Ok(Self {
            authenticator: Arc::new(Authenticator::new(clients.clone(), credentials)),
            clients,
            retry: options.retry.clone(),
            name: match itself {
                true => registry.to_owned(),
                false => authority(&base),
            },
            namespace: (!itself).then(|| registry.to_owned()),
            base,
            headers: host.headers.clone(),
            accepts_any_certificate: options.skip_tls_verify || host.skip_tls_verify,
            warnings: Arc::default(),
        })
    }

    /// The same, with other time limits.
    pub(super) fn with_retry(&self, retry: RetryOptions) -> Self {
        Self {
            retry,
            ..self.clone()
        }
    }

    /// The host, with its port when it has one.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is not the registry itself.
    pub(super) fn is_mirror(&self) -> bool {
        self.namespace.is_some()
    }

    /// Whether the host is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback_url(&self.base)
    }

    /// Whether no certificate is verified.
    pub(super) fn accepts_any_certificate(&self) -> bool {
        self.accepts_any_certificate
    }

    /// Who will be said to be asking.
    pub(super) async fn credentials(&self, call: &Call) -> Result<Credentials, Error> {
        self.authenticator.credentials(call).await
    }

    /// The URL of `path` in the API.
    pub(super) fn url(&self, path: &str) -> Result<Url, Error> {
        let base = self.base.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}/{path}"));
        // A parsed reference always makes a URL.
        let mut url = url.map_err(|_| Error::Name {
            name: one_line(path),
        })?;
        if let Some(registry) = &self.namespace {
            url.query_pairs_mut().append_pair("ns", registry);
        }
        Ok(url)
    }

    /// Sends `call` with a body, once more when the registry wants to know who is asking. Whether a
    /// failure is final is for the caller to find out.
    ///
    /// Each time the registry may be silent for `limit`; what is sent as a stream has a limit of its own.
    /// How long it takes here to find out who is asking does not count: a credential helper may ask too.
    pub(super) async fn exchange_once(
        &self,
        call: &Call,
        payload: &Payload<'_>,
        limit: Duration,
    ) -> Result<Response, Error> {
        let send = async |authorization| {
            let attempt = self.attempt(call, payload, authorization);
            match payload {
                Payload::Stream(_) => attempt.await,
                Payload::Empty | Payload::Bytes(_) => call.within(limit, attempt).await,
            }
        };
        let authorization = async { Ok(self.authenticator.current(call, limit).await) };
        let authorization = call.within(INTRODUCTION, authorization).await?;
        let response = send(authorization.clone()).await?;
        // The storage behind a redirect has nothing to say about our credentials.
        let from_registry = response.url().origin() == call.url.origin();
        if response.status() != StatusCode::UNAUTHORIZED || !from_registry {
            return Ok(response);
        }
        let renewed = self
            .authenticator
            .renew(call, response.headers(), authorization, limit);
        match call.within(INTRODUCTION, renewed).await? {
            Some(authorization) => send(Some(authorization)).await,
            None => Ok(response),
        }
    }

    /// Returns the authorization that is known for `call`.
    pub(super) async fn known(&self, call: &Call, limit: Duration) -> Option<HeaderValue> {
        self.authenticator.current(call, limit).await
    }

    /// Sends `call` with just this authorization.
    pub(super) async fn attempt(
        &self,
        call: &Call,
        payload: &Payload<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Response, Error> {
        let client = match call.reads() {
            true => &self.clients.reading,
            false => self.clients.writing().await?,
        };
        let mut headers = self.headers.clone();
        headers.extend(call.headers.clone());
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        let request = client
            .request(call.method.clone(), call.url.clone())
            .headers(headers);
        let sent = match payload {
            Payload::Empty => request.send().await,
            Payload::Bytes(bytes) => request.body(bytes.clone()).send().await,
            Payload::Stream(outgoing) => {
                let request = request.body(outgoing.body().await?);
                let (sending, stalled) = (pin!(request.send()), pin!(outgoing.stalled()));
                let sent = match select(sending, stalled).await {
                    Either::Left((sent, _)) => sent,
                    Either::Right((limit, _)) => return Err(call.stalled(limit)),
                };
                if let (Err(_), Some(error)) = (&sent, outgoing.failure()) {
                    return Err(error);
                }
                sent
            }
        };
        let response =
            sent.map_err(|error| failure(error, &call.registry, &call.what, &call.url))?;
        tracing::debug!(
            method = %call.method, url = call.address(), status = response.status().as_u16(),
            "answered"
        );
        self.warnings.tell(&call.registry, response.headers());
        Ok(response)
    }

    /// Passes a good answer; turns a refusal into an error.
    pub(super) async fn check(&self, response: Response, call: &Call) -> Result<Response, Error> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let from_registry = response.url().origin() == call.url.origin();
        let headers = response.headers().clone();
        // What it says would be good to know, and is not worth waiting for: the status says enough.
        let body = read_up_to(response, answer::LIMIT);
        let body = tokio::time::timeout(self.retry.stall_timeout, body).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        let answer = answer::parse(status, &headers, &body);
        let (what, registry) = (call.what.clone(), call.registry.clone());
        if call.url.scheme() == "http" && answer::wants_tls(status, &headers, &body) {
            let address = call.url.origin().ascii_serialization();
            return Err(Error::PlainHttp { registry, address });
        }
        // The storage behind a redirect refuses an address that has expired, not the user.
        if from_registry && matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(self.authenticator.denied(call, answer).await);
        }
        match status {
            StatusCode::NOT_FOUND => Err(Error::NotFound {
                what,
                registry,
                answer,
            }),
            _ => Err(Error::Refused {
                what,
                registry,
                answer,
            }),
        }
    }

    /// Whether the registry has asked who sends calls like this one, and has been told.
    pub(super) async fn has_introduced(&self, call: &Call) -> bool {
        self.authenticator.has_introduced(call).await
    }

    /// The whole body, at most `limit` bytes of it.
    pub(super) async fn read_bounded(
        &self,
        response: Response,
        limit: u64,
        call: &Call,
    ) -> Result<Bytes, Error> {
        let too_large = || Error::TooLarge {
            what: call.what.clone(),
            limit,
        };
        if response
            .content_length()
            .is_some_and(|length| length > limit)
        {
            return Err(too_large());
        }
        let body = read_up_to(response, limit + 1).await;
        let body = body.map_err(|error| failure(error, &call.registry, &call.what, &call.url))?;
        if body.len() as u64 > limit {
            Err(too_large())
        } else {
            Ok(body)
        }
    }
}

/// The body, or its first `limit` bytes.
pub(super) async fn read_up_to(
    mut response: Response,
    limit: u64,
) -> Result<Bytes, reqwest::Error> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() >= limit {
            body.truncate(limit);
            break;
        }
    }
    Ok(body.freeze())
}

/// A request that got no answer. The URL is taken out of the error: it may hold signatures.
pub(super) fn failure(source: reqwest::Error, registry: &str, what: &str, url: &Url) -> Error {
    let at = source.url().map_or_else(|| address(url), address);
    let origin = source.url().unwrap_or(url).origin().ascii_serialization();
    let source = source.without_url();
    let (what, registry) = (what.to_owned(), registry.to_owned());
    if source.is_redirect() {
        Error::Redirect {
            what,
            address: at,
            source,
        }
    } else if let Some(problem) = TlsProblem::behind(&source) {
        Error::Tls {
            registry,
            address: origin,
            problem,
            source,
        }
    } else if source.is_connect() {
        Error::Unreachable {
            registry,
            address: origin,
            source,
        }
    } else {
        Error::Interrupted {
            what,
            address: at,
            source,
        }
    }
}
