//! Requests with everything that follows from the answer: redirects, and another authorization after a refusal.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Response, StatusCode};

use crate::oci::error::Error;

use super::super::auth::Authenticator;
use super::super::http::{Payload, Redirects, Request};
use super::transport::{Transport, challenges};

/// How long to wait for an `Authorization` header. A credential helper may take 20 seconds and a token service 30
/// seconds, and another task may be waiting for them already.
const AUTHORIZATION_TIMEOUT: Duration = Duration::from_secs(60);

impl Transport {
    /// Sends `request` and returns the answer, which may be a refusal. Follows redirects. When another authorization
    /// may help against a refusal, sends the request once more with it.
    ///
    /// Waits at most `limit` for each host. [`Payload::Blob`] has its own limit. The time for getting an authorization
    /// does not count, because a credential helper may ask the user.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        payload: &Payload<'_>,
        limit: Duration,
    ) -> Result<Response, Error> {
        let mut redirects = Redirects::default();
        let mut request = self.addressed(request, &request.url);
        loop {
            let exchange = Exchange {
                transport: self,
                authenticator: self.authenticator_for(&request),
                request: &request,
                payload,
                limit,
            };
            let response = exchange.run().await?;
            match redirects.next(&response, &request)? {
                Some(url) => request = Cow::Owned(self.addressed(&request, &url).into_owned()),
                None => return Ok(response),
            }
        }
    }

    /// Sends `request` without credentials, and returns the answer, which may be a refusal. Follows redirects. Waits at
    /// most `limit` for each host.
    pub(super) async fn exchange_anonymously(
        &self,
        request: &Request,
        limit: Duration,
    ) -> Result<Response, Error> {
        let mut redirects = Redirects::default();
        let mut request = self.addressed(request, &request.url);
        loop {
            let sent = self.send_as_is(&request, &Payload::Empty, None);
            let response = request.within(limit, sent).await?;
            match redirects.next(&response, &request)? {
                Some(url) => request = Cow::Owned(self.addressed(&request, &url).into_owned()),
                None => return Ok(response),
            }
        }
    }

    /// Sends `request` without a body once, with the known authorization. Waits at most `limit` for the host.
    pub(super) async fn exchange_as_known(
        &self,
        request: &Request,
        limit: Duration,
    ) -> Result<Response, Error> {
        let request = self.addressed(request, &request.url);
        let exchange = async {
            let authenticator = self.authenticator_for(&request);
            let authorization = authenticator.current(&request, limit).await;
            self.send_as_is(&request, &Payload::Empty, authorization)
                .await
        };
        request.within(limit, exchange).await
    }
}

/// A request to the host in its URL. After a refusal, it is sent again with another authorization.
struct Exchange<'a> {
    transport: &'a Transport,
    authenticator: &'a Authenticator,
    request: &'a Request,
    payload: &'a Payload<'a>,
    limit: Duration,
}

impl Exchange<'_> {
    async fn run(&self) -> Result<Response, Error> {
        let current = async { Ok(self.authenticator.current(self.request, self.limit).await) };
        let authorization = self.request.within(AUTHORIZATION_TIMEOUT, current).await?;
        let response = self.send(authorization.clone()).await?;
        let is_base = self.transport.is_base(&self.request.url);
        match response.status() {
            StatusCode::UNAUTHORIZED if is_base || challenges(&response, self.request) => {
                self.after_unauthorized(response, authorization).await
            }
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
                if (is_base || self.request.is_read())
                    && !matches!(self.payload, Payload::Blob(_)) =>
            {
                self.after_hidden(response, authorization).await
            }
            _ => Ok(response),
        }
    }

    async fn after_unauthorized(
        &self,
        response: Response,
        used: Option<HeaderValue>,
    ) -> Result<Response, Error> {
        let Some(authorization) = self.renew(&response, used).await? else {
            return Ok(response);
        };
        let again = self.send(Some(authorization.clone())).await?;
        if again.status() != StatusCode::UNAUTHORIZED
            || !self.authenticator.may_renew(self.request).await
        {
            return Ok(again);
        }
        // A provider may have given credentials that are no longer valid.
        match self.renew(&again, Some(authorization)).await? {
            Some(authorization) => self.send(Some(authorization)).await,
            None => Ok(again),
        }
    }

    /// Sends the request with the stored credentials, because `response` may hide content from anonymous users. Returns
    /// `response` if the credentials do not help.
    async fn after_hidden(
        &self,
        response: Response,
        used: Option<HeaderValue>,
    ) -> Result<Response, Error> {
        let (request, headers) = (self.request, response.headers());
        let revealed = self
            .authenticator
            .reveal(request, headers, used.as_ref(), self.limit);
        let revealed = async { Ok(revealed.await) };
        let revealed = request.within(AUTHORIZATION_TIMEOUT, revealed).await;
        let Ok(Some(authorization)) = revealed else {
            return Ok(response);
        };
        let again = self.send(Some(authorization.clone())).await?;
        if again.status() != StatusCode::UNAUTHORIZED {
            return Ok(again);
        }
        // The registry asks for another kind of authentication, or refuses the credentials.
        if let Ok(Some(authorization)) = self.renew(&again, Some(authorization)).await {
            let again = self.send(Some(authorization)).await?;
            if again.status() != StatusCode::UNAUTHORIZED {
                return Ok(again);
            }
        }
        self.authenticator.forget(request).await;
        Ok(response)
    }

    /// Returns the authorization to send after `refusal` of a request with the authorization `used`.
    async fn renew(
        &self,
        refusal: &Response,
        used: Option<HeaderValue>,
    ) -> Result<Option<HeaderValue>, Error> {
        let (request, headers) = (self.request, refusal.headers());
        let renewed = self.authenticator.renew(request, headers, used, self.limit);
        request.within(AUTHORIZATION_TIMEOUT, renewed).await
    }

    async fn send(&self, authorization: Option<HeaderValue>) -> Result<Response, Error> {
        let sent = self
            .transport
            .send_as_is(self.request, self.payload, authorization);
        match self.payload {
            Payload::Blob(_) => sent.await,
            Payload::Empty | Payload::Bytes(_) => self.request.within(self.limit, sent).await,
        }
    }
}
