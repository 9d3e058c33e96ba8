//! The one place that sends requests.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, WARNING};
use reqwest::{Method, Response, StatusCode, Url};

use super::super::error::{Error, one_line};
use super::RegistryOptions;
use super::answer;
use super::auth::Authenticator;
use super::clients::Clients;
use super::outgoing::Outgoing;

/// How long a small write may take altogether.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2 * 60);

/// What a request needs permission for, in the words of the token specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Scope(pub(super) &'static str);

impl Scope {
    pub(super) const PULL: Self = Self("pull");
    pub(super) const PUSH: Self = Self("pull,push");
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

pub(super) struct Transport {
    clients: Clients,
    authenticator: Authenticator,
    plain_http: bool,
    tls_to_loopback: bool,
}

impl Transport {
    pub(super) fn new(options: RegistryOptions) -> Result<Self, Error> {
        let clients = Clients::new(&options)?;
        Ok(Self {
            authenticator: Authenticator::new(clients.writing.clone(), options.credentials),
            clients,
            plain_http: options.plain_http,
            tls_to_loopback: options.skip_tls_verify || !options.certificate_authorities.is_empty(),
        })
    }

    /// The URL of `path` in `registry`.
    pub(super) fn url(&self, registry: &str, path: &str) -> Result<Url, Error> {
        let host = match registry {
            "docker.io" => "registry-1.docker.io",
            other => other,
        };
        let parse = |scheme: &str| Url::parse(&format!("{scheme}://{host}/{path}"));
        let url = parse("https").and_then(|url| {
            let plain = self.plain_http || is_loopback(&url) && !self.tls_to_loopback;
            if plain { parse("http") } else { Ok(url) }
        });
        // A parsed reference always makes a URL.
        url.map_err(|_| Error::Name {
            name: one_line(registry),
        })
    }

    /// Sends `call` without a body, and gives the answer when it is a good one.
    pub(super) async fn send(&self, call: &Call) -> Result<Response, Error> {
        let response = self.exchange(call).await?;
        self.check(response, call).await
    }

    /// Sends `call` without a body; the answer may be a refusal.
    pub(super) async fn exchange(&self, call: &Call) -> Result<Response, Error> {
        self.exchange_with(call, &Payload::Empty).await
    }

    /// Sends `call` with a body, once more when the registry wants to know who is asking. Later,
    /// retries belong here: everything that is sent can be sent again.
    pub(super) async fn exchange_with(
        &self,
        call: &Call,
        payload: &Payload<'_>,
    ) -> Result<Response, Error> {
        let authorization = self.authenticator.current(call).await;
        let response = self.attempt(call, payload, authorization.clone()).await?;
        // The storage behind a redirect has nothing to say about our credentials.
        let from_registry = response.url().origin() == call.url.origin();
        if response.status() != StatusCode::UNAUTHORIZED || !from_registry {
            return Ok(response);
        }
        let renewed = self
            .authenticator
            .renew(call, response.headers(), authorization)
            .await?;
        match renewed {
            Some(authorization) => self.attempt(call, payload, Some(authorization)).await,
            None => Ok(response),
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        payload: &Payload<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Response, Error> {
        let reads = call.method == Method::GET || call.method == Method::HEAD;
        let client = if reads {
            &self.clients.reading
        } else {
            &self.clients.writing
        };
        let mut request = client
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone());
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let sent = match payload {
            Payload::Empty if reads => request.send().await,
            Payload::Empty => request.timeout(WRITE_TIMEOUT).send().await,
            Payload::Bytes(bytes) => {
                request
                    .timeout(WRITE_TIMEOUT)
                    .body(bytes.clone())
                    .send()
                    .await
            }
            Payload::Stream(outgoing) => {
                let request = request.body(outgoing.body().await?);
                let (sending, stalled) = (pin!(request.send()), pin!(outgoing.stalled()));
                let sent = match select(sending, stalled).await {
                    Either::Left((sent, _)) => sent,
                    Either::Right((seconds, _)) => {
                        let (what, address) = (call.what.clone(), call.address());
                        return Err(Error::Stalled {
                            what,
                            address,
                            seconds,
                        });
                    }
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
        for warning in response.headers().get_all(WARNING) {
            // OCI distribution specification, "Warnings".
            if let Some(text) = warning
                .to_str()
                .ok()
                .and_then(|text| text.strip_prefix("299 "))
            {
                tracing::warn!("{} says: {}", call.registry, one_line(text));
            }
        }
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
        let body = read_up_to(response, answer::LIMIT)
            .await
            .unwrap_or_default();
        let answer = answer::parse(status, &headers, &body);
        let (what, registry) = (call.what.clone(), call.registry.clone());
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
    } else if is_tls(&source) {
        Error::Tls {
            registry,
            address: origin,
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

/// Whether TLS is what failed. It hides inside of `io::Error`s, which do not count as sources.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<rustls::Error>() {
            return true;
        }
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

/// Whether the URL is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_plain_docker_hub_is_somewhere_else_and_the_rest_is_https() {
        let transport = Transport::new(RegistryOptions::default()).unwrap();
        let url = |registry: &str| transport.url(registry, "v2/a").unwrap().to_string();
        assert_eq!(url("localhost:5000"), "http://localhost:5000/v2/a");
        assert_eq!(url("127.8.8.8"), "http://127.8.8.8/v2/a");
        assert_eq!(url("[::1]:5000"), "http://[::1]:5000/v2/a");
        assert_eq!(url("ghcr.io"), "https://ghcr.io/v2/a");
        assert_eq!(url("docker.io"), "https://registry-1.docker.io/v2/a");
    }

    #[test]
    fn tls_options_mean_tls_on_loopback_and_insecure_means_plain_everywhere() {
        let url = |options| {
            Transport::new(options)
                .unwrap()
                .url("localhost", "v2/")
                .unwrap()
        };
        let tls = RegistryOptions {
            skip_tls_verify: true,
            ..RegistryOptions::default()
        };
        assert_eq!(url(tls).scheme(), "https");
        let plain = RegistryOptions {
            plain_http: true,
            ..RegistryOptions::default()
        };
        let transport = Transport::new(plain).unwrap();
        assert_eq!(transport.url("ghcr.io", "v2/").unwrap().scheme(), "http");
    }
}
