//! Sending one request to a registry, and the errors for refusals.
//!
//! Credentials, headers and error messages are the same for all requests to registries, because all of them pass through
//! here. Only challenges and tokens (`auth`) are requested elsewhere.

use std::borrow::Cow;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode, Url};

use crate::oci::error::Error;
use crate::oci::hosts::Host;
use crate::oci::names::{authority, is_loopback_url};

use super::super::auth::{Authenticator, Challenge};
use super::super::http::{
    Clients, Payload, REFUSAL_LIMIT, Request, Warnings, decode, parse_refusal, read_up_to,
    wants_tls,
};
use super::super::options::RegistryOptions;
use super::base_url::{base_url, is_served_at};
use super::refused::{not_found, refused};

pub(super) struct Transport {
    clients: Clients,
    pub(super) authenticator: Authenticator,
    /// For reads from hosts to which this host redirects. They get the credentials that are stored for their own name.
    for_redirects: Authenticator,
    /// For writes to such hosts, and for reads from hosts whose identity is not checked. They get no credentials: the
    /// registry chose the host and the content of the request.
    anonymous: Authenticator,
    /// The URL at which the API begins.
    pub(super) base: Url,
    /// The name for credentials and messages.
    pub(super) name: String,
    /// The registry that a mirror serves (containerd's `docs/hosts.md`, "ns"). `None` for the registry itself.
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
        let source = &options.credentials;
        let credentials = if is_mirror {
            source.for_mirror()
        } else {
            source.clone()
        };
        let stored = source.for_redirects();
        Ok(Self {
            authenticator: Authenticator::new(clients.clone(), credentials),
            for_redirects: Authenticator::new(clients.clone(), stored),
            anonymous: Authenticator::anonymous(clients.clone()),
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
        // The parts of a parsed reference always fit into a URL.
        let mut url = Url::parse(&format!("{base}/{path}")).map_err(|_| Error::name(path))?;
        if let Some(registry) = &self.namespace {
            url.query_pairs_mut().append_pair("ns", registry);
        }
        Ok(url)
    }

    /// Returns whether `url` is at the host of this endpoint, and not at a host to which it redirects.
    pub(super) fn is_base(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    pub(super) fn authenticator_for(&self, request: &Request) -> &Authenticator {
        if self.is_base(&request.url) {
            &self.authenticator
        } else if request.is_read() && self.may_log_in(&request.url) {
            &self.for_redirects
        } else {
            &self.anonymous
        }
    }

    /// Returns whether the credentials that are stored for another host may be sent to `url`. The user did not name that
    /// host, so a checked certificate must show that the answers come from it.
    fn may_log_in(&self, url: &Url) -> bool {
        is_loopback_url(url) || url.scheme() == "https" && !self.accepts_any_certificate
    }

    /// Returns `request` for `url`, with the name of the host at `url`.
    pub(super) fn addressed<'a>(&self, request: &'a Request, url: &Url) -> Cow<'a, Request> {
        if *url == request.url && self.is_base(url) {
            return Cow::Borrowed(request);
        }
        let mut request = request.elsewhere(url.clone());
        if self.is_base(url) {
            request.registry.clone_from(&self.name);
        }
        Cow::Owned(request)
    }

    /// Sends `request` once, with `authorization` if there is one.
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
        // The headers in the settings of the host may be secrets, so no other host gets them.
        let mut headers = if self.is_base(&request.url) {
            self.headers.clone()
        } else {
            HeaderMap::new()
        };
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

    /// Returns the answer if it is a success, or else an error for the refusal. Waits at most `limit` for the text of a
    /// refusal.
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
        // The error names the host that has answered.
        let request = &*self.addressed(request, response.url());
        // When storage refuses a request, the reason is an expired URL, and not the user.
        let authenticator = self.authenticator_for(request);
        let asks_user = challenges(&response, request);
        let refuses_user =
            self.is_base(&request.url) || asks_user || authenticator.knows(request).await;
        let headers = response.headers().clone();
        // Without the text of the refusal, only the status is reported.
        let body = tokio::time::timeout(limit, read_up_to(response, REFUSAL_LIMIT)).await;
        let body = body.ok().and_then(Result::ok);
        let body = body.and_then(|body| decode(&headers, body, REFUSAL_LIMIT).ok());
        let body = body.unwrap_or_default();
        let answer = parse_refusal(status, &headers, &body);
        if request.url.scheme() == "http" && wants_tls(status, &headers, &body) {
            return Err(Error::PlainHttp {
                registry: request.registry.clone(),
                address: request.url.origin().ascii_serialization(),
            });
        }
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
                if !self.is_base(&request.url)
                    && (!request.is_read() || asks_user && !self.may_log_in(&request.url)) =>
            {
                Error::RedirectDenied {
                    what: request.what.clone(),
                    address: request.address(),
                    answer,
                }
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if refuses_user => {
                authenticator.denied(request, answer).await
            }
            StatusCode::NOT_FOUND => not_found(request, answer),
            _ => refused(request, answer),
        })
    }
}

/// Returns whether an answer asks for a supported kind of authentication.
pub(super) fn challenges(response: &Response, request: &Request) -> bool {
    let challenge = Challenge::choose(response.headers(), request);
    challenge.is_ok_and(|challenge| challenge.is_some())
}
