//! Who is asking: challenges, tokens, and when to ask for new ones.
//!
//! The rules are those of the distribution project's token authentication specification, and of RFC
//! 6749 ("Refreshing an Access Token") for identity tokens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use http_auth::ChallengeRef;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Deserialize;

use super::super::credentials::{CredentialSource, Credentials};
use super::super::error::{Answer, Error, one_line};
use super::transport::{Call, Scope, address, failure, read_up_to};
use super::{answer, realm};

/// The largest answer of a token service that is read, in bytes.
const TOKEN_LIMIT: u64 = 1024 * 1024;
/// What a token lives when its answer does not say, in seconds (token specification, "expires_in").
const DEFAULT_LIFE: u64 = 60;
/// Never longer than a day, whatever the answer says; in seconds.
const LIFE_LIMIT: u64 = 24 * 60 * 60;
/// How long a token service may take to answer.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
const CLIENT_ID: &str = "wasmcloud-par";

/// What goes into the `Authorization` header, and who it speaks for.
struct Grant {
    header: HeaderValue,
    expires: Option<Instant>,
    credentials: Credentials,
    is_token: bool,
}

impl Grant {
    fn is_valid(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires)
    }
}

type Key = (String, String, Scope);
type Slot = Arc<tokio::sync::Mutex<Option<Grant>>>;

/// Keeps one grant for each registry, repository and scope, and gets it only once however many ask.
pub(super) struct Authenticator {
    client: Client,
    source: Arc<CredentialSource>,
    slots: Mutex<HashMap<Key, Slot>>,
}

impl Authenticator {
    /// `client` must not follow redirects: it carries secrets.
    pub(super) fn new(client: Client, source: CredentialSource) -> Self {
        Self {
            client,
            source: Arc::new(source),
            slots: Mutex::default(),
        }
    }

    fn slot(&self, call: &Call) -> Slot {
        let key = (call.registry.clone(), call.repository.clone(), call.scope);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key).or_default())
    }

    /// What to send with `call` as far as is known; waits for who is getting a token right now.
    pub(super) async fn current(&self, call: &Call) -> Option<HeaderValue> {
        let slot = self.slot(call);
        let grant = slot.lock().await;
        grant
            .as_ref()
            .filter(|grant| grant.is_valid())
            .map(|grant| grant.header.clone())
    }

    /// After a 401 to `used`: what to send instead, or `None` when there is nothing better.
    pub(super) async fn renew(
        &self,
        call: &Call,
        headers: &HeaderMap,
        used: Option<HeaderValue>,
    ) -> Result<Option<HeaderValue>, Error> {
        let slot = self.slot(call);
        let mut slot = slot.lock().await;
        if let Some(grant) = slot.as_ref().filter(|grant| grant.is_valid())
            && used.as_ref() != Some(&grant.header)
        {
            // Somebody else was faster.
            return Ok(Some(grant.header.clone()));
        }
        let Some(challenge) = Challenge::choose(headers, call)? else {
            return Ok(None);
        };
        let credentials = self.credentials(&call.registry).await?;
        let grant = match challenge {
            Challenge::Bearer(bearer) => Some(self.token(call, &bearer, credentials).await?),
            Challenge::Basic => basic(credentials),
        };
        let header = grant.as_ref().map(|grant| grant.header.clone());
        *slot = grant;
        // The same user and password would be refused the same way.
        Ok(header.filter(|header| used.as_ref() != Some(header)))
    }

    /// The error for a 401 or 403 that stands.
    pub(super) async fn denied(&self, call: &Call, answer: Box<Answer>) -> Error {
        let slot = self.slot(call);
        let slot = slot.lock().await;
        let (what, registry) = (call.what.clone(), call.registry.clone());
        let unauthorized = answer.status == StatusCode::UNAUTHORIZED.as_u16();
        let Some(grant) = slot.as_ref() else {
            return match self.credentials(&registry).await {
                Ok(Credentials::Anonymous) => Error::CredentialsMissing {
                    what,
                    registry,
                    answer,
                },
                // There are some, and the registry never said how it wants them.
                Ok(_) => Error::Challenge {
                    registry,
                    challenge: answer.to_string(),
                },
                Err(error) => error,
            };
        };
        let user = grant.credentials.who();
        match grant.credentials {
            Credentials::Anonymous => Error::CredentialsMissing {
                what,
                registry,
                answer,
            },
            // A token means that the token service took the credentials.
            _ if unauthorized && !grant.is_token => Error::CredentialsRefused {
                registry,
                user,
                answer,
            },
            _ => Error::Forbidden {
                what,
                registry,
                user,
                answer,
            },
        }
    }

    /// Looked up anew each time: the credentials of a long-running host change under it.
    pub(super) async fn credentials(&self, registry: &str) -> Result<Credentials, Error> {
        let (source, registry) = (Arc::clone(&self.source), registry.to_owned());
        match tokio::task::spawn_blocking(move || source.for_registry(&registry)).await {
            Ok(result) => result,
            Err(source) => Err(Error::Cancelled { source }),
        }
    }

    async fn token(
        &self,
        call: &Call,
        bearer: &Bearer,
        credentials: Credentials,
    ) -> Result<Grant, Error> {
        let registry = call.registry.clone();
        let secret = credentials != Credentials::Anonymous;
        let url = realm::check(&call.url, &bearer.realm, secret).map_err(|reason| {
            let realm = one_line(&bearer.realm);
            Error::RealmRefused {
                registry: registry.clone(),
                realm,
                reason,
            }
        })?;
        let unusable = |reason| Error::TokenAnswer {
            url: address(&url),
            reason,
        };
        let asked = Instant::now();
        let what = format!("token for the {}", call.what);
        let sent = self
            .token_request(call, bearer, &credentials, url.clone())
            .send()
            .await;
        let response = sent.map_err(|error| failure(error, &registry, &what, &url))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_up_to(response, TOKEN_LIMIT).await;
        let body = body.map_err(|error| failure(error, &registry, &what, &url))?;
        if status.is_redirection() {
            return Err(unusable("it answered with a redirect"));
        }
        if !status.is_success() {
            let answer = answer::parse(status, &headers, &body);
            return Err(match (status.as_u16(), secret) {
                // RFC 6749 has 400 for a refresh token that is no longer good.
                (400 | 401 | 403, true) => Error::CredentialsRefused {
                    registry,
                    user: credentials.who(),
                    answer,
                },
                (401 | 403, false) => Error::CredentialsMissing {
                    what: call.what.clone(),
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
        // The error of `serde_json` is left out: it quotes what it read.
        let answer: TokenAnswer =
            serde_json::from_slice(&body).map_err(|_| unusable("it is not a token answer"))?;
        let token = [answer.token, answer.access_token].into_iter().flatten();
        let token = token.into_iter().find(|token| !token.is_empty());
        let token = token.ok_or_else(|| unusable("it holds no token"))?;
        let header = header(&format!("Bearer {token}"));
        let header = header.ok_or_else(|| unusable("its token does not fit into a header"))?;
        let life = answer.expires_in.and_then(|seconds| seconds.as_u64());
        let life = life
            .filter(|seconds| *seconds > 0)
            .unwrap_or(DEFAULT_LIFE)
            .min(LIFE_LIMIT);
        // A tenth less: clocks differ, and a request takes its time.
        let expires = Some(asked + Duration::from_secs(life) * 9 / 10);
        Ok(Grant {
            header,
            expires,
            credentials,
            is_token: true,
        })
    }

    fn token_request(
        &self,
        call: &Call,
        bearer: &Bearer,
        credentials: &Credentials,
        mut url: Url,
    ) -> RequestBuilder {
        let scope = bearer.scope(call);
        let mut fields: Vec<(&str, &str)> = Vec::new();
        if let Some(service) = &bearer.service {
            fields.push(("service", service));
        }
        if !scope.is_empty() {
            fields.push(("scope", &scope));
        }
        let request = if let Credentials::IdentityToken(token) = credentials {
            fields.push(("grant_type", "refresh_token"));
            fields.push(("client_id", CLIENT_ID));
            fields.push(("refresh_token", token));
            // The query of a URL and a form are written the same way.
            let mut form = url.clone();
            form.query_pairs_mut().clear().extend_pairs(fields);
            self.client
                .post(url)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.query().unwrap_or_default().to_owned())
        } else {
            url.query_pairs_mut().extend_pairs(fields);
            match credentials {
                Credentials::Basic { user, password } => {
                    self.client.get(url).basic_auth(user, Some(password))
                }
                _ => self.client.get(url),
            }
        };
        request.timeout(TOKEN_TIMEOUT)
    }
}

fn basic(credentials: Credentials) -> Option<Grant> {
    let Credentials::Basic { user, password } = &credentials else {
        return None;
    };
    let encoded = BASE64.encode(format!("{user}:{password}").as_bytes());
    let header = header(&format!("Basic {encoded}"))?;
    Some(Grant {
        header,
        expires: None,
        credentials,
        is_token: false,
    })
}

/// A header value that is not printed.
fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<serde_json::Number>,
}

/// How a registry wants to be told who is asking.
pub(super) enum Challenge {
    Basic,
    Bearer(Bearer),
}

pub(super) struct Bearer {
    pub(super) realm: String,
    pub(super) service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    /// The best of the challenges, `None` when there are none at all.
    pub(super) fn choose(headers: &HeaderMap, call: &Call) -> Result<Option<Self>, Error> {
        let mut basic = false;
        let mut unknown = None;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            let text = value.to_str().unwrap_or_default();
            for challenge in http_auth::parse_challenges(text).unwrap_or_default() {
                if challenge.scheme.eq_ignore_ascii_case("bearer")
                    && let Some(realm) = parameter(&challenge, "realm")
                {
                    let service = parameter(&challenge, "service");
                    let scope = parameter(&challenge, "scope");
                    return Ok(Some(Self::Bearer(Bearer {
                        realm,
                        service,
                        scope,
                    })));
                }
                basic |= challenge.scheme.eq_ignore_ascii_case("basic");
            }
            unknown = Some(one_line(text));
        }
        match unknown {
            _ if basic => Ok(Some(Self::Basic)),
            Some(challenge) => Err(Error::Challenge {
                registry: call.registry.clone(),
                challenge,
            }),
            None => Ok(None),
        }
    }
}

impl Bearer {
    /// The scope to ask for: ours, which covers the requests to come, unless the registry has
    /// another name for the repository.
    fn scope(&self, call: &Call) -> String {
        if call.repository.is_empty() {
            return self.scope.clone().unwrap_or_default();
        }
        let repository = format!("repository:{}:", call.repository);
        match &self.scope {
            Some(scope) if !scope.is_empty() && !scope.starts_with(&repository) => scope.clone(),
            _ => format!("{repository}{}", call.scope.0),
        }
    }
}

fn parameter(challenge: &ChallengeRef<'_>, name: &str) -> Option<String> {
    let mut parameters = challenge.params.iter();
    let found = parameters.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_unescaped())
}
