//! Who is asking: what to send along, and when to get something new.
//!
//! The rules are those of the distribution project's token authentication specification, and of RFC
//! 6749 ("Refreshing an Access Token") for identity tokens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue};

use crate::content::ErrorKind;

use super::super::credentials::{CredentialSource, Credentials};
use super::super::error::{Answer, Error};
use super::challenge::{Bearer, Challenge};
use super::clients::Clients;
use super::token;
use super::transport::{Call, Scope};

/// How many repositories are remembered; then those that nobody is asking about are forgotten.
const SLOTS_LIMIT: usize = 1024;
/// How long a registry may take to say how it wants to be asked.
const CHALLENGE_TIMEOUT: Duration = Duration::from_secs(30);

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

/// What is known about asking for a repository.
#[derive(Default)]
struct Known {
    grant: Option<Grant>,
    /// Where the grant came from. A new one is fetched there when it expires, before the registry has to
    /// refuse anything: refusing the upload of a large blob costs what was sent of it.
    bearer: Option<Bearer>,
}

impl Known {
    fn valid(&self) -> Option<&Grant> {
        self.grant.as_ref().filter(|grant| grant.is_valid())
    }

    /// Whether the grant is for what `challenge` asks for.
    fn answers(&self, challenge: Option<&Challenge>, call: &Call) -> bool {
        match (&self.bearer, challenge) {
            (Some(known), Some(Challenge::Bearer(asked))) => known.covers(asked, call),
            _ => true,
        }
    }
}

type Key = (String, String, Scope);
type Slot = Arc<tokio::sync::Mutex<Known>>;

/// Keeps one grant for each registry, repository and scope, and gets it only once however many ask.
pub(super) struct Authenticator {
    clients: Clients,
    source: CredentialSource,
    slots: Mutex<HashMap<Key, Slot>>,
}

impl Authenticator {
    pub(super) fn new(clients: Clients, source: CredentialSource) -> Self {
        Self {
            clients,
            source,
            slots: Mutex::default(),
        }
    }

    fn slot(&self, call: &Call) -> Slot {
        let key = (call.registry.clone(), call.repository.clone(), call.scope);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= SLOTS_LIMIT && !slots.contains_key(&key) {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(key).or_default())
    }

    /// What to send with `call` as far as is known; waits for who is getting a token right now. A token
    /// service may be silent for `limit`.
    pub(super) async fn current(&self, call: &Call, limit: Duration) -> Option<HeaderValue> {
        let slot = self.slot(call);
        let mut known = slot.lock().await;
        if let Some(grant) = known.valid() {
            return Some(grant.header.clone());
        }
        let bearer = known.bearer.clone()?;
        match self.token(call, &bearer, limit).await {
            Ok(grant) => Some(known.grant.insert(grant).header.clone()),
            Err(error) => {
                // Without one, the registry says what it wants now, and the error is told then.
                tracing::debug!(%error, "the token for {} was not renewed", call.what);
                None
            }
        }
    }

    /// After a 401 to `used`: what to send instead, or `None` when there is nothing better. Who is asked
    /// for it may be silent for `limit`.
    pub(super) async fn renew(
        &self,
        call: &Call,
        headers: &HeaderMap,
        used: Option<HeaderValue>,
        limit: Duration,
    ) -> Result<Option<HeaderValue>, Error> {
        let slot = self.slot(call);
        let mut known = slot.lock().await;
        let challenge = Challenge::choose(headers, call)?;
        if let Some(grant) = known.valid()
            && used.as_ref() != Some(&grant.header)
            && known.answers(challenge.as_ref(), call)
        {
            // Somebody else was faster.
            return Ok(Some(grant.header.clone()));
        }
        let challenge = match challenge {
            Some(challenge) => challenge,
            None => match known.bearer.clone() {
                Some(bearer) => Challenge::Bearer(bearer),
                None => match self.ask_for_challenge(call, limit).await? {
                    Some(challenge) => challenge,
                    None => return Ok(None),
                },
            },
        };
        match challenge {
            Challenge::Bearer(bearer) => match self.token(call, &bearer, limit).await {
                Ok(grant) => {
                    known.grant = Some(grant);
                    known.bearer = Some(bearer);
                }
                // Some services give no token at all to who may not do one of the things, such as read
                // where a blob is to be mounted from. The one at hand is good for everything else.
                Err(error)
                    if error.kind() == ErrorKind::Denied
                        && bearer.asks_for_more(call)
                        && known.valid().is_some() =>
                {
                    tracing::debug!(%error, "the {} needs more than is allowed", call.what);
                    return Ok(None);
                }
                Err(error) => {
                    known.grant = None;
                    return Err(error);
                }
            },
            Challenge::Basic => {
                known.bearer = None;
                known.grant = basic(self.credentials(call).await?);
            }
        }
        let header = known.grant.as_ref().map(|grant| grant.header.clone());
        // The same user and password would be refused the same way.
        Ok(header.filter(|header| used.as_ref() != Some(header)))
    }

    /// Some registries refuse without saying how they want to be asked. They say so at their root (OCI
    /// distribution specification, "Determining Support").
    async fn ask_for_challenge(
        &self,
        call: &Call,
        limit: Duration,
    ) -> Result<Option<Challenge>, Error> {
        let mut root = call.url.clone();
        root.set_path("v2/");
        root.set_query(None);
        let client = self.clients.writing().await?;
        let request = client.get(root).timeout(limit.min(CHALLENGE_TIMEOUT));
        match request.send().await {
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                Challenge::choose(response.headers(), call)
            }
            // What the registry said before is what is told.
            _ => Ok(None),
        }
    }

    /// Whether the registry has asked who is there, and has been told.
    pub(super) async fn has_introduced(&self, call: &Call) -> bool {
        let slot = self.slot(call);
        let known = slot.lock().await;
        let valid = known.valid();
        valid.is_some_and(|grant| grant.credentials != Credentials::Anonymous)
    }

    /// The error for a 401 or 403 that stands.
    pub(super) async fn denied(&self, call: &Call, answer: Box<Answer>) -> Error {
        let slot = self.slot(call);
        let known = slot.lock().await;
        let (what, registry) = (call.what.clone(), call.registry.clone());
        let unauthorized = answer.status == StatusCode::UNAUTHORIZED.as_u16();
        let Some(grant) = known.grant.as_ref() else {
            return match self.credentials(call).await {
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
    pub(super) async fn credentials(&self, call: &Call) -> Result<Credentials, Error> {
        self.source.find(&call.registry, &call.repository).await
    }

    async fn token(&self, call: &Call, bearer: &Bearer, limit: Duration) -> Result<Grant, Error> {
        let credentials = self.credentials(call).await?;
        let client = self.clients.writing().await?;
        let token = token::fetch(client, call, bearer, &credentials, limit).await?;
        Ok(Grant {
            header: token.header,
            expires: Some(token.expires),
            credentials,
            is_token: true,
        })
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
pub(super) fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
