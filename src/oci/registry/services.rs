//! Requests to services that are not registries, such as those of Sigstore.

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;

use crate::content::blocking;
use crate::oci::error::{Answer, Error, one_line};
use crate::oci::hosts::Host;
use crate::oci::names::{authority, is_loopback_url};

use super::http::{
    Attempts, Clients, REFUSAL_LIMIT, Request, Scope, is_client_error, parse_refusal, read_up_to,
};
use super::options::RegistryOptions;

/// Sends small requests to services that are not registries. It uses the proxies, the certificate authorities and the
/// time limits that are configured for registries, but no credentials of registries. TLS certificates are always
/// verified, and redirects are not followed.
#[derive(Clone)]
pub(crate) struct Services {
    options: RegistryOptions,
}

/// A request to a service.
pub(crate) struct ServiceCall<'a> {
    /// The name of the answer in messages: "certificate".
    pub(crate) what: &'a str,
    /// The URL of the service.
    pub(crate) url: &'a str,
    /// The bearer token for the header `Authorization`. It is a secret.
    pub(crate) bearer: Option<&'a str>,
    /// The media type of the body, and the body itself. The method is POST with a body, and GET for `None`.
    pub(crate) body: Option<(&'static str, Bytes)>,
    /// The media type for the header `Accept`.
    pub(crate) accept: &'static str,
    /// The largest answer that is accepted, in bytes. A longer answer is an error.
    pub(crate) limit: u64,
}

/// The body of an error answer of a service that uses gRPC or go-swagger.
#[derive(Deserialize)]
struct Message {
    message: String,
}

impl Services {
    pub(super) fn new(options: &RegistryOptions) -> Self {
        // These two options are only for registries. A service gets secrets, so its certificate is always verified.
        let options = RegistryOptions {
            skip_tls_verify: false,
            client_certificate: None,
            ..options.clone()
        };
        Self { options }
    }

    /// Sends a request, retries after failures, and returns the body of the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the status is not a success, [`Error::TooLarge`], and the errors of any request that gets no
    /// answer.
    pub(crate) async fn call(&self, call: &ServiceCall<'_>) -> Result<Bytes, Error> {
        let request = call.request()?;
        let (options, url) = (self.options.clone(), request.url.clone());
        let clients = blocking(move || Clients::new(&options, &Host::registry(), &url, false));
        let clients = clients.await?;
        let mut attempts = Attempts::new(&self.options.retry);
        loop {
            let answered = call.send(&clients, &request);
            match request.within(attempts.stall_timeout(), answered).await {
                Err(error) if !is_client_error(&error) => attempts.failed(error).await?,
                answer => return answer,
            }
        }
    }
}

/// Returns the URL of a service, or what is wrong with it.
pub(crate) fn service_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host".to_owned());
    }
    // Secrets, and what is asked for, are for the service alone.
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback_url(&url)) {
        return Err("it does not begin with `https://`".to_owned());
    }
    Ok(url)
}

impl ServiceCall<'_> {
    fn request(&self) -> Result<Request, Error> {
        let malformed =
            |reason: &str| Error::malformed(format!("URL of the {}", self.what), reason);
        let url = service_url(self.url).map_err(|reason| malformed(&reason))?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(self.accept));
        if let Some(secret) = self.bearer {
            let header = HeaderValue::try_from(format!("Bearer {secret}"));
            let mut header =
                header.map_err(|_| malformed("its bearer token is not valid in a header"))?;
            header.set_sensitive(true);
            headers.insert(AUTHORIZATION, header);
        }
        if let Some((media_type, _)) = self.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        Ok(Request {
            method: match self.body {
                Some(_) => Method::POST,
                None => Method::GET,
            },
            registry: authority(&url),
            url,
            repository: String::new(),
            scope: Scope::NONE,
            what: self.what.to_owned(),
            headers,
        })
    }

    /// Removes the text of a service that repeats the secret that it got.
    fn without_secret(&self, mut answer: Box<Answer>) -> Box<Answer> {
        let Some(secret) = self.bearer else {
            return answer;
        };
        // The beginning is enough: a text may be cut.
        let beginning = secret.get(..16).unwrap_or(secret);
        let repeats = |text: &String| text.contains(beginning);
        answer.message = answer.message.filter(|text| !repeats(text));
        answer.code = answer.code.filter(|text| !repeats(text));
        answer
    }

    /// Sends the request once.
    async fn send(&self, clients: &Clients, request: &Request) -> Result<Bytes, Error> {
        let (method, url) = (request.method.clone(), request.url.clone());
        let builder = clients.writing.request(method, url);
        let builder = builder.headers(request.headers.clone());
        let builder = match &self.body {
            Some((_, body)) => builder.body(body.clone()),
            None => builder,
        };
        let response = builder.send().await.map_err(|error| {
            let error = request.failed(error);
            clients.explain(error, &request.url)
        })?;
        let status = response.status();
        tracing::debug!(
            method = %request.method,
            url = request.address(),
            status = status.as_u16(),
            "answered"
        );
        if let Some(error) = clients.proxy_refusal(status, &request.url) {
            return Err(error);
        }
        if !status.is_success() {
            let headers = response.headers().clone();
            // If the body cannot be read, the error still has the status.
            let body = read_up_to(response, REFUSAL_LIMIT).await;
            let body = body.unwrap_or_default();
            let answer = parse_refusal(status, &headers, &body);
            return Err(Error::Refused {
                what: request.what.clone(),
                registry: request.registry.clone(),
                answer: self.without_secret(with_message(answer, &body)),
            });
        }
        let body = read_up_to(response, self.limit + 1).await;
        let body = body.map_err(|error| request.failed(error))?;
        if body.len() as u64 > self.limit {
            return Err(Error::too_large(request.what.clone(), self.limit));
        }
        Ok(body)
    }
}

/// Adds the message in the body of a service to the answer, if the answer has no code.
fn with_message(mut answer: Box<Answer>, body: &[u8]) -> Box<Answer> {
    if answer.code.is_none()
        && let Ok(Message { message }) = serde_json::from_slice(body)
        && !message.is_empty()
    {
        answer.message = Some(one_line(&message));
    }
    answer
}

#[cfg(test)]
#[path = "tests/services.rs"]
mod tests;
