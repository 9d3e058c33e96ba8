//! Token services: requesting a token, and finding its time of expiry.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::Value;

use crate::oci::credentials::Credentials;
use crate::oci::error::{Answer, Error, one_line};

use super::super::http::{
    Request, address, decode, is_transient, parse_refusal, read_up_to, request_error,
};
use super::challenge::Bearer;
use super::realm::check_realm;

/// The largest answer of a token service that is read, in bytes.
const TOKEN_LIMIT: u64 = 1024 * 1024;
/// The lifetime of a token when the answer gives none, in seconds (token specification, "expires_in").
const DEFAULT_LIFE: u64 = 60;
/// The longest lifetime of a token that is accepted, in seconds.
const LIFE_LIMIT: u64 = 24 * 60 * 60;
/// The most redirects in a row that are followed.
const REDIRECT_LIMIT: usize = 5;
/// How long a token service may take to answer.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
const CLIENT_ID: &str = "wasmcloud-par";

/// The user name for an identity token that is sent as a password, when no user is stored. Docker's credential helpers
/// use the same name.
const TOKEN_USER: &str = "<token>";

/// A token service, and the request for which it is asked for a token.
struct Service<'a> {
    client: &'a Client,
    request: &'a Request,
    bearer: &'a Bearer,
    url: Url,
    limit: Duration,
}

/// The answer of a token service.
enum Answered {
    Token(HeaderValue, Instant),
    Refused(StatusCode, Box<Answer>),
    /// A success without a usable token.
    Unusable(&'static str),
}

/// Requests a token for `request` from the token service that `bearer` names. Waits at most `limit`, and never more
/// than 30 seconds. Returns the `Authorization` header and its time of expiry.
pub(super) async fn fetch(
    client: &Client,
    request: &Request,
    bearer: &Bearer,
    credentials: &Credentials,
    limit: Duration,
) -> Result<(HeaderValue, Instant), Error> {
    let secret = *credentials != Credentials::Anonymous;
    let url = check_realm(&request.url, &bearer.realm, secret);
    let url = url.map_err(|reason| Error::RealmRefused {
        registry: request.registry.clone(),
        realm: one_line(&bearer.realm),
        reason,
    })?;
    let service = Service {
        client,
        request,
        bearer,
        url,
        limit: limit.min(TOKEN_TIMEOUT),
    };
    let answered = match credentials {
        Credentials::IdentityToken { token, .. } => match service.exchange(token).await? {
            answered if answered.may_mean_no_exchange() => {
                return service.ask_with_password(credentials, answered).await;
            }
            answered => answered,
        },
        _ => service.query(user_and_password(credentials)).await?,
    };
    match answered {
        Answered::Token(header, expires) => Ok((header, expires)),
        Answered::Unusable(reason) => Err(service.unusable(reason)),
        Answered::Refused(status, answer) => Err(match status.as_u16() {
            401 | 403 if secret => service.credentials_refused(credentials, answer),
            401 | 403 => Error::CredentialsMissing {
                what: request.what.clone(),
                registry: request.registry.clone(),
                answer,
            },
            _ => service.failed(answer),
        }),
    }
}

impl Answered {
    /// Returns whether this answer may mean that the token service does not exchange identity tokens.
    ///
    /// The services of Amazon, Google and others answered the exchange with 404 or 405, JFrog Artifactory with 401, and
    /// Azure with 400 (containerd's `core/remotes/docker/authorizer.go`). Others answer with 500, or with a web page.
    /// Only the answers of an outage do not mean that.
    fn may_mean_no_exchange(&self) -> bool {
        match self {
            Self::Token(..) => false,
            Self::Refused(status, _) => {
                *status == StatusCode::INTERNAL_SERVER_ERROR || !is_transient(*status)
            }
            Self::Unusable(_) => true,
        }
    }
}

impl Service<'_> {
    /// Asks with an identity token as the password. `exchanged` is the earlier answer to the exchange of the token.
    async fn ask_with_password(
        &self,
        credentials: &Credentials,
        exchanged: Answered,
    ) -> Result<(HeaderValue, Instant), Error> {
        match self.query(user_and_password(credentials)).await? {
            Answered::Token(header, expires) => return Ok((header, expires)),
            Answered::Refused(status, answer) if is_transient(status) => {
                return Err(self.failed(answer));
            }
            Answered::Refused(..) | Answered::Unusable(_) => {}
        }
        let (status, answer) = match exchanged {
            Answered::Refused(status, answer) => (status, answer),
            Answered::Unusable(reason) => return Err(self.unusable(reason)),
            Answered::Token(header, expires) => return Ok((header, expires)),
        };
        if is_transient(status) {
            return Err(self.failed(answer));
        }
        let unsupported = answer.code.as_deref() == Some("unsupported_grant_type");
        Err(
            if matches!(status.as_u16(), 400 | 401 | 403) && !unsupported {
                self.credentials_refused(credentials, answer)
            } else {
                Error::IdentityTokenUnsupported {
                    registry: self.request.registry.clone(),
                    service: address(&self.url),
                    answer,
                }
            },
        )
    }

    /// Exchanges an identity token (RFC 6749, "Refreshing an Access Token").
    async fn exchange(&self, token: &str) -> Result<Answered, Error> {
        // The body is a form, which is encoded like the query of a URL.
        let mut form = self.url.clone();
        form.query_pairs_mut()
            .clear()
            .extend_pairs(self.service_name())
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", CLIENT_ID)
            .append_pair("refresh_token", token);
        let scopes = self.bearer.scopes(self.request);
        if !scopes.is_empty() {
            form.query_pairs_mut()
                .append_pair("scope", &scopes.join(" "));
        }
        let form = form.query().unwrap_or_default();
        let request = |url| {
            self.client
                .post(url)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.to_owned())
        };
        self.ask(self.url.clone(), &[307, 308], true, request).await
    }

    /// Asks for a token with a user and a password, or for an anonymous one.
    async fn query(&self, user: Option<(&str, &str)>) -> Result<Answered, Error> {
        let scopes = self.bearer.scopes(self.request);
        let scopes = scopes.iter().map(|scope| ("scope", scope));
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .extend_pairs(self.service_name().chain(scopes));
        let request = |url| match user {
            Some((user, password)) => self.client.get(url).basic_auth(user, Some(password)),
            None => self.client.get(url),
        };
        let followed = [301, 302, 303, 307, 308];
        self.ask(url, &followed, user.is_some(), request).await
    }

    fn service_name(&self) -> impl Iterator<Item = (&str, &String)> {
        let service = self.bearer.service.iter();
        service.map(|service| ("service", service))
    }

    /// Sends a request to `url`, and follows redirects with one of the statuses `followed`. With `secret`, the request
    /// contains credentials, and each redirect must lead to a host that may get them.
    async fn ask(
        &self,
        mut url: Url,
        followed: &[u16],
        secret: bool,
        request: impl Fn(Url) -> RequestBuilder,
    ) -> Result<Answered, Error> {
        let started = Instant::now();
        let name = format!("the token service of {}", self.request.registry);
        for _ in 0..=REDIRECT_LIMIT {
            let failed = |error| request_error(error, &name, &self.what(), &url);
            let asked = request(url.clone()).timeout(self.limit);
            let response = asked.send().await.map_err(failed)?;
            let (status, headers) = (response.status(), response.headers().clone());
            tracing::debug!(
                url = address(&url),
                status = status.as_u16(),
                "asked for a token"
            );
            let body = read_up_to(response, TOKEN_LIMIT).await.map_err(failed)?;
            let body = decode(&headers, body, TOKEN_LIMIT).map_err(|encoding| Error::Encoded {
                what: self.what(),
                registry: address(&url),
                encoding,
            })?;
            if status.is_success() {
                return Ok(read_token(&body, started));
            }
            let location = headers
                .get(LOCATION)
                .filter(|_| followed.contains(&status.as_u16()));
            let Some(location) = location.and_then(|location| location.to_str().ok()) else {
                return Ok(Answered::Refused(status, refusal(status, &headers, &body)));
            };
            let next = url.join(location).map_err(|_| "it is not a URL");
            let next = next.and_then(|next| check_realm(&self.request.url, next.as_str(), secret));
            url = next.map_err(|reason| Error::RealmRefused {
                registry: self.request.registry.clone(),
                realm: one_line(location),
                reason,
            })?;
        }
        Ok(Answered::Unusable("it answered with too many redirects"))
    }

    fn what(&self) -> String {
        format!("token for the {}", self.request.what)
    }

    fn unusable(&self, reason: &'static str) -> Error {
        Error::TokenAnswer {
            url: address(&self.url),
            reason,
        }
    }

    fn failed(&self, answer: Box<Answer>) -> Error {
        Error::TokenService {
            what: self.what(),
            service: address(&self.url),
            answer,
        }
    }

    fn credentials_refused(&self, credentials: &Credentials, answer: Box<Answer>) -> Error {
        let registry = self.request.registry.clone();
        credentials_refused(registry, address(&self.url), credentials, answer)
    }
}

/// Parses a refusal: an OCI error envelope, or an error of OAuth (RFC 6749, "Error Response").
fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Box<Answer> {
    let mut answer = parse_refusal(status, headers, body);
    let said: Option<Value> = serde_json::from_slice(body).ok();
    let code = said.as_ref().and_then(|said| said.get("error")?.as_str());
    if let (None, Some(code)) = (&answer.code, code) {
        answer.code = Some(one_line(code));
    }
    answer
}

/// Reads the answer to a request that was sent at `started`. Other fields than the token may be malformed.
fn read_token(body: &[u8], started: Instant) -> Answered {
    // The error of `serde_json` is left out, because it quotes the answer.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else {
        return Answered::Unusable("it is not a token answer");
    };
    let text = |name: &str| answer.get(name)?.as_str().map(without_scheme);
    let mut tokens = [text("token"), text("access_token")].into_iter().flatten();
    let Some(token) = tokens.find(|token| !token.is_empty()) else {
        return Answered::Unusable("it contains no token");
    };
    let Some(header) = sensitive_header(&format!("Bearer {token}")) else {
        return Answered::Unusable("its token does not fit into a header");
    };
    let life = answer.get("expires_in").and_then(seconds);
    let life = Duration::from_secs(life.unwrap_or(DEFAULT_LIFE).min(LIFE_LIMIT));
    // The lifetime is shortened by a tenth, because clocks differ and a request takes time.
    Answered::Token(header, started + life * 9 / 10)
}

/// Returns a token without white space around it, and without the scheme that some services put before it.
fn without_scheme(token: &str) -> &str {
    let token = token.trim();
    match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => token,
    }
}

/// Returns a number of seconds, which may be written as text or with a fraction.
fn seconds(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    // The cast saturates. Less than a second does not count as a lifetime.
    (seconds >= 1.0).then_some(seconds as u64)
}

/// Returns the user and the password to send. An identity token is sent as the password.
pub(super) fn user_and_password(credentials: &Credentials) -> Option<(&str, &str)> {
    match credentials {
        Credentials::Basic { user, password } => Some((user, password)),
        Credentials::IdentityToken { user, token } => {
            Some((user.as_deref().unwrap_or(TOKEN_USER), token))
        }
        _ => None,
    }
}

/// Returns the error for credentials for `registry` that `service` has refused. `service` is the registry itself or its
/// token service.
pub(super) fn credentials_refused(
    registry: String,
    service: String,
    credentials: &Credentials,
    answer: Box<Answer>,
) -> Error {
    match credentials {
        Credentials::IdentityToken { .. } => Error::IdentityTokenRefused {
            registry,
            service,
            answer,
        },
        _ => Error::CredentialsRefused {
            registry,
            user: credentials.describe_user(),
            answer,
        },
    }
}

/// Returns a header value that `Debug` does not print.
pub(super) fn sensitive_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
#[path = "tests/token.rs"]
mod tests;
