//! The one place that sends requests to registries.
//!
//! Time limits, redirects, credentials and error messages are the same for all requests, because all of
//! them pass through here.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode, Url};

use crate::oci::error::Error;
use crate::oci::hosts::Host;
use crate::oci::names::authority;

use super::super::auth::Authenticator;
use super::super::http::{
    Clients, Payload, REFUSAL_LIMIT, Request, Warnings, parse_refusal, read_up_to, wants_tls,
};
use super::super::options::RegistryOptions;
use super::base_url::{base_url, is_served_at};

/// The longest time to get an `Authorization` header. A credential helper may take 20 seconds, a token
/// service 30, and another task may be waiting for them already.
const AUTHORIZATION_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) struct Transport {
    clients: Clients,
    pub(super) authenticator: Authenticator,
    /// The beginning of the API.
    pub(super) base: Url,
    /// The name that credentials are stored under, and that messages use.
    pub(super) name: String,
    /// The registry that a mirror serves (containerd's `docs/hosts.md`, "ns"). `None`: this is the
    /// registry itself.
    pub(super) namespace: Option<String>,
    /// Headers for each request.
    headers: HeaderMap,
    pub(super) accepts_any_certificate: bool,
    warnings: Warnings,
}

impl Transport {
    /// Sets up the transport to one of the hosts that serve `registry`. Blocks to read certificates.
    pub(super) fn new(
        registry: &str,
        host: &Host,
        options: &RegistryOptions,
    ) -> Result<Self, Error> {
        let base = match &host.base {
            Some(base) => base.clone(),
            None => base_url(registry, host, options)?,
        };
        let is_mirror = !is_served_at(registry, &base);
        let clients = Clients::new(options, host, &base, is_mirror)?;
        let mut credentials = options.credentials.clone();
        if is_mirror {
            // They are for the registry.
            credentials.explicit = None;
        }
        Ok(Self {
            authenticator: Authenticator::new(clients.clone(), credentials),
            clients,
            name: if is_mirror {
                authority(&base)
            } else {
                registry.to_owned()
            },
            namespace: is_mirror.then(|| registry.to_owned()),
            base,
            headers: host.headers.clone(),
            accepts_any_certificate: options.skip_tls_verify || host.skip_tls_verify,
            warnings: Warnings::default(),
        })
    }

    /// Returns the URL of `path` in the API.
    pub(super) fn url(&self, path: &str) -> Result<Url, Error> {
        let base = self.base.as_str().trim_end_matches('/');
        // A parsed reference always makes a URL.
        let mut url = Url::parse(&format!("{base}/{path}")).map_err(|_| Error::name(path))?;
        if let Some(registry) = &self.namespace {
            url.query_pairs_mut().append_pair("ns", registry);
        }
        Ok(url)
    }

    /// Sends `request` and returns the answer, which may be a refusal. After an answer 401 the request
    /// is sent once more with a new authorization.
    ///
    /// The endpoint may be silent for `limit` each time; [`Payload::Blob`] has a limit of its own. The
    /// time that it takes to get an authorization does not count: a credential helper may ask the user.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        payload: &Payload<'_>,
        limit: Duration,
    ) -> Result<Response, Error> {
        let send = async |authorization| {
            let sent = self.send_as_is(request, payload, authorization);
            match payload {
                Payload::Blob(_) => sent.await,
                Payload::Empty | Payload::Bytes(_) => request.within(limit, sent).await,
            }
        };
        let authorization = async { Ok(self.authenticator.current(request, limit).await) };
        let authorization = request.within(AUTHORIZATION_TIMEOUT, authorization).await?;
        let response = send(authorization.clone()).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !is_from_registry(&response, request) {
            return Ok(response);
        }
        let headers = response.headers();
        let renewed = self
            .authenticator
            .renew(request, headers, authorization, limit);
        match request.within(AUTHORIZATION_TIMEOUT, renewed).await? {
            Some(authorization) => send(Some(authorization)).await,
            None => Ok(response),
        }
    }

    /// Sends `request` once, with this authorization or without one.
    pub(super) async fn send_as_is(
        &self,
        request: &Request,
        payload: &Payload<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Response, Error> {
        let client = if request.is_read() {
            &self.clients.reading
        } else {
            &self.clients.writing
        };
        let mut headers = self.headers.clone();
        headers.extend(request.headers.clone());
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        let builder = client
            .request(request.method.clone(), request.url.clone())
            .headers(headers);
        let sent = match payload {
            Payload::Empty => builder.send().await,
            Payload::Bytes(bytes) => builder.body(bytes.clone()).send().await,
            Payload::Blob(blob) => {
                let builder = builder.body(blob.body().await?);
                let (sending, stalled) = (pin!(builder.send()), pin!(blob.stalled()));
                let sent = match select(sending, stalled).await {
                    Either::Left((sent, _)) => sent,
                    Either::Right((limit, _)) => return Err(request.stalled(limit)),
                };
                if let (Err(_), Some(error)) = (&sent, blob.failure()) {
                    return Err(error);
                }
                sent
            }
        };
        let response = sent.map_err(|error| {
            let error = request.failed(error);
            self.clients.explain(error, &request.url)
        })?;
        if let Some(error) = self
            .clients
            .proxy_refusal(response.status(), response.url())
        {
            return Err(error);
        }
        tracing::debug!(
            method = %request.method,
            url = request.address(),
            status = response.status().as_u16(),
            "answered"
        );
        self.warnings.log(&request.registry, response.headers());
        Ok(response)
    }

    /// Returns a successful answer, and an error for a refusal. Waits for the text of a refusal for at
    /// most `limit`.
    pub(super) async fn check(
        &self,
        response: Response,
        request: &Request,
        limit: Duration,
    ) -> Result<Response, Error> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let from_registry = is_from_registry(&response, request);
        let headers = response.headers().clone();
        // The text is not essential: without it the status is reported.
        let body = tokio::time::timeout(limit, read_up_to(response, REFUSAL_LIMIT)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        let answer = parse_refusal(status, &headers, &body);
        let (what, registry) = (request.what.clone(), request.registry.clone());
        if request.url.scheme() == "http" && wants_tls(status, &headers, &body) {
            let address = request.url.origin().ascii_serialization();
            return Err(Error::PlainHttp { registry, address });
        }
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if from_registry => {
                Err(self.authenticator.denied(request, answer).await)
            }
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
}

/// Returns whether an answer comes from the registry, and not from storage that it redirected to.
/// Storage that refuses a request refuses an expired URL, and not the user.
fn is_from_registry(response: &Response, request: &Request) -> bool {
    response.url().origin() == request.url.origin()
}
