//! Token services: requesting a token, and how long it is valid.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;

use crate::oci::credentials::Credentials;
use crate::oci::error::{Error, one_line};

use super::super::http::{Request, address, decode, parse_refusal, read_up_to, request_error};
use super::challenge::Bearer;
use super::realm::check_realm;

/// The largest answer of a token service that is read, in bytes.
const TOKEN_LIMIT: u64 = 1024 * 1024;
/// The lifetime of a token whose answer does not name one, in seconds (token specification,
/// "expires_in").
const DEFAULT_LIFE: u64 = 60;
/// The longest lifetime that is believed, in seconds.
const LIFE_LIMIT: u64 = 24 * 60 * 60;
/// How long a token service may take to answer.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
const CLIENT_ID: &str = "wasmcloud-par";

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<serde_json::Number>,
}

/// Requests a token for `request` from the token service that `bearer` names, which may take `limit`,
/// and at most 30 seconds. Returns the `Authorization` header, and when it expires.
pub(super) async fn fetch(
    client: &Client,
    request: &Request,
    bearer: &Bearer,
    credentials: &Credentials,
    limit: Duration,
) -> Result<(HeaderValue, Instant), Error> {
    let registry = request.registry.clone();
    let secret = *credentials != Credentials::Anonymous;
    let url = check_realm(&request.url, &bearer.realm, secret);
    let url = url.map_err(|reason| Error::RealmRefused {
        registry: registry.clone(),
        realm: one_line(&bearer.realm),
        reason,
    })?;
    let unusable = |reason| Error::TokenAnswer {
        url: address(&url),
        reason,
    };
    let asked = Instant::now();
    let what = format!("token for the {}", request.what);
    let sent = token_request(client, request, bearer, credentials, url.clone());
    let sent = sent.timeout(limit.min(TOKEN_TIMEOUT)).send().await;
    let response = sent.map_err(|error| request_error(error, &registry, &what, &url))?;
    let (status, headers) = (response.status(), response.headers().clone());
    tracing::debug!(
        url = address(&url),
        status = status.as_u16(),
        "asked for a token"
    );
    let body = read_up_to(response, TOKEN_LIMIT).await;
    let body = body.map_err(|error| request_error(error, &registry, &what, &url))?;
    let body = decode(&headers, body, TOKEN_LIMIT).map_err(|encoding| Error::Encoded {
        what: what.clone(),
        registry: address(&url),
        encoding,
    })?;
    if status.is_redirection() {
        return Err(unusable("it answered with a redirect"));
    }
    if !status.is_success() {
        let answer = parse_refusal(status, &headers, &body);
        // With status 400 a service refuses a refresh token (RFC 6749). Without one, status 400 means
        // that it does not understand the request.
        let exchanged = matches!(credentials, Credentials::IdentityToken(_));
        let code = status.as_u16();
        let refused = matches!(code, 401 | 403) || (code == 400 && exchanged);
        return Err(match (refused, secret) {
            (true, true) => Error::CredentialsRefused {
                registry,
                user: credentials.who(),
                answer,
            },
            (true, false) => Error::CredentialsMissing {
                what: request.what.clone(),
                registry,
                answer,
            },
            _ => Error::Refused {
                what,
                registry,
                answer,
            },
        });
    }
    // Without the error of `serde_json`, which quotes the answer.
    let answer: TokenAnswer =
        serde_json::from_slice(&body).map_err(|_| unusable("it is not a token answer"))?;
    let mut tokens = answer.token.into_iter().chain(answer.access_token);
    let token = tokens.find(|token| !token.is_empty());
    let token = token.ok_or_else(|| unusable("it holds no token"))?;
    let header = sensitive_header(&format!("Bearer {token}"));
    let header = header.ok_or_else(|| unusable("its token does not fit into a header"))?;
    let life = answer.expires_in.and_then(|seconds| seconds.as_u64());
    let life = life.filter(|seconds| *seconds > 0).unwrap_or(DEFAULT_LIFE);
    let life = life.min(LIFE_LIMIT);
    // A tenth less: clocks differ, and a request takes time.
    Ok((header, asked + Duration::from_secs(life) * 9 / 10))
}

fn token_request(
    client: &Client,
    request: &Request,
    bearer: &Bearer,
    credentials: &Credentials,
    mut url: Url,
) -> RequestBuilder {
    let scopes = bearer.scopes(request);
    let service = bearer.service.iter().map(|service| ("service", service));
    if let Credentials::IdentityToken(token) = credentials {
        // A form is encoded like the query of a URL.
        let mut form = url.clone();
        form.query_pairs_mut()
            .clear()
            .extend_pairs(service)
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", CLIENT_ID)
            .append_pair("refresh_token", token);
        if !scopes.is_empty() {
            form.query_pairs_mut()
                .append_pair("scope", &scopes.join(" "));
        }
        client
            .post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.query().unwrap_or_default().to_owned())
    } else {
        let scopes = scopes.iter().map(|scope| ("scope", scope));
        url.query_pairs_mut().extend_pairs(service.chain(scopes));
        match credentials {
            Credentials::Basic { user, password } => {
                client.get(url).basic_auth(user, Some(password))
            }
            _ => client.get(url),
        }
    }
}

/// Returns a header value that `Debug` does not print.
pub(super) fn sensitive_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
