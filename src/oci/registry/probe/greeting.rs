//! The answer at the root of the API (OCI distribution specification, "Determining Support").

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, SERVER};
use reqwest::{Response, StatusCode};

use crate::oci::error::{Error, one_line};

use super::super::auth::Challenge;
use super::super::http::{Request, address};

/// The answer of a registry to a request without credentials.
#[derive(Debug)]
pub(crate) struct Greeting {
    /// The URL at which the API begins.
    pub(crate) address: String,
    pub(crate) status: u16,
    /// The header `Server`: the program, or the proxy in front of it.
    pub(crate) server: Option<String>,
    /// The header `Docker-Distribution-Api-Version`.
    pub(crate) api_version: Option<String>,
    /// How far the clock of this machine is ahead of the clock of the registry, by the header `Date`. The error is how
    /// far it is behind.
    pub(crate) skew: Option<Result<Duration, Duration>>,
    pub(crate) wants: Wants,
}

/// The credentials for which a registry asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    Nothing,
    Password,
    Token {
        realm: String,
        service: Option<String>,
    },
    /// A challenge of an unknown kind.
    Unknown(String),
    /// A refusal without a challenge.
    Unsaid,
}

impl Greeting {
    /// Reads the headers of the answer to `request`. A web page is not the answer of a registry.
    pub(super) fn of(response: &Response, request: &Request) -> Result<Self, Error> {
        let status = response.status();
        let text = |name: HeaderName| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(one_line(value)).filter(|value| !value.is_empty())
        };
        // The error names the URL of the answer, because there may have been a redirect.
        let not_a_registry = |reason| Error::NotARegistry {
            address: address(response.url()),
            reason,
        };
        let is_page = text(CONTENT_TYPE).is_some_and(|value| value.starts_with("text/html"));
        if status.is_success() && is_page {
            return Err(not_a_registry("it answers with a web page".to_owned()));
        }
        Ok(Self {
            address: request.address(),
            status: status.as_u16(),
            server: text(SERVER),
            api_version: text(HeaderName::from_static("docker-distribution-api-version")),
            skew: text(DATE).and_then(|date| skew(&date)),
            wants: match status {
                StatusCode::UNAUTHORIZED => Wants::of(response.headers(), request),
                StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Wants::Unsaid,
                _ => Wants::Nothing,
            },
        })
    }

    /// Returns the error for an answer 404. A registry gives this answer only if it hides from anonymous users or does
    /// not follow the specification.
    pub(crate) fn missing(&self) -> Option<Error> {
        (self.status == StatusCode::NOT_FOUND.as_u16()).then(|| Error::NotARegistry {
            address: self.address.clone(),
            reason: "it answers with HTTP 404".to_owned(),
        })
    }
}

/// Returns how long ago `date` is. The error is how far it is in the future.
fn skew(date: &str) -> Option<Result<Duration, Duration>> {
    let date = httpdate::parse_http_date(date).ok()?;
    let now = SystemTime::now().duration_since(date);
    Some(now.map_err(|earlier| earlier.duration()))
}

impl Wants {
    /// Reads the challenge of an answer 401.
    fn of(headers: &HeaderMap, request: &Request) -> Self {
        match Challenge::choose(headers, request) {
            Ok(Some(Challenge::Basic)) => Self::Password,
            Ok(Some(Challenge::Bearer(bearer))) => Self::Token {
                realm: one_line(&bearer.realm),
                service: bearer.service.as_deref().map(one_line),
            },
            Ok(None) => Self::Unsaid,
            Err(Error::Challenge { challenge, .. }) => Self::Unknown(challenge),
            Err(error) => Self::Unknown(error.to_string()),
        }
    }
}
