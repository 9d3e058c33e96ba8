//! Authorization: the header for each request, and its renewal.
//!
//! The rules come from the distribution project's token authentication specification, and for identity tokens from RFC
//! 6749 ("Refreshing an Access Token").

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue};

use crate::content::{ErrorKind, with_causes};
use crate::oci::credentials::{CredentialSource, Credentials, Found};
use crate::oci::error::{Answer, Error};

use super::super::http::{Clients, Request, Scope};
use super::challenge::Challenge;
use super::grant::{Grant, Known};
use super::token::credentials_refused;

/// The most repositories and scopes whose authorization is remembered. When there are more, those that are not in use
/// are forgotten.
const SLOTS_LIMIT: usize = 1024;
/// How long stored credentials are not looked up again after an answer that may hide content from anonymous users.
const PAUSE: Duration = Duration::from_secs(60);
/// The longest time to wait for a challenge at the root of the API.
const CHALLENGE_TIMEOUT: Duration = Duration::from_secs(30);

type Key = (String, String, Scope);
type Slot = Arc<tokio::sync::Mutex<Known>>;

/// Keeps the authorization for each repository and scope of an endpoint. Concurrent requests share one token request.
pub(crate) struct Authenticator {
    pub(super) clients: Clients,
    /// The source of credentials. With `None`, every request is anonymous.
    source: Option<CredentialSource>,
    slots: Mutex<HashMap<Key, Slot>>,
    /// Whether the user has been told that a credential helper failed.
    warned: AtomicBool,
}

impl Authenticator {
    pub(crate) fn new(clients: Clients, source: CredentialSource) -> Self {
        Self {
            clients,
            source: Some(source),
            slots: Mutex::default(),
            warned: AtomicBool::new(false),
        }
    }

    /// Returns an authenticator without credentials. It gets tokens for anonymous users.
    pub(crate) fn anonymous(clients: Clients) -> Self {
        Self {
            clients,
            source: None,
            slots: Mutex::default(),
            warned: AtomicBool::new(false),
        }
    }

    fn slot(&self, request: &Request) -> Slot {
        let (registry, repository) = (request.registry.clone(), request.repository.clone());
        let key = (registry, repository, request.scope);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= SLOTS_LIMIT && !slots.contains_key(&key) {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(key).or_default())
    }

    /// Returns the `Authorization` header for `request`, if one is known or can be renewed. Waits for a token that
    /// another task is requesting. Waits at most `limit` for the token service.
    pub(crate) async fn current(&self, request: &Request, limit: Duration) -> Option<HeaderValue> {
        let slot = self.slot(request);
        let mut known = slot.lock().await;
        if let Some(grant) = known.valid() {
            return Some(grant.header.clone());
        }
        let Some(bearer) = known.bearer.clone() else {
            // Without a token service, the credentials themselves are sent to the registry. They have expired.
            known.grant.as_ref()?;
            let found = self.search(request, None).await;
            let found = found.inspect_err(|error| unused(request, error)).ok()?;
            known.grant = Grant::of(found);
            // They are used even if they seem to have expired, because the clock of the provider may differ.
            return known.grant.as_ref().map(|grant| grant.header.clone());
        };
        match self.token(request, &bearer, None, limit).await {
            Ok(grant) => Some(known.grant.insert(grant).header.clone()),
            Err(error) => {
                // Without a token, the registry answers the request with a challenge. The error is reported then.
                tracing::debug!(%error, "the token for {} was not renewed", request.what);
                None
            }
        }
    }

    /// Returns the `Authorization` header to send after an answer 401 to a request with the header `used`, or `None`
    /// when there is no other header. Waits at most `limit` for the token service.
    pub(crate) async fn renew(
        &self,
        request: &Request,
        headers: &HeaderMap,
        used: Option<HeaderValue>,
        limit: Duration,
    ) -> Result<Option<HeaderValue>, Error> {
        let slot = self.slot(request);
        let mut known = slot.lock().await;
        let challenge = Challenge::choose(headers, request)?;
        if let Some(grant) = known.valid()
            && used.as_ref() != Some(&grant.header)
            && known.answers(challenge.as_ref(), request)
        {
            // Another task has renewed the authorization.
            return Ok(Some(grant.header.clone()));
        }
        let refused = known.refused(used.as_ref());
        let challenge = match challenge.or_else(|| known.bearer.clone().map(Challenge::Bearer)) {
            Some(challenge) => Some(challenge),
            None => self.ask_for_challenge(request, limit).await,
        };
        match challenge {
            Some(Challenge::Bearer(bearer)) => {
                match self.token(request, &bearer, refused.as_ref(), limit).await {
                    Ok(grant) => {
                        known.grant = Some(grant);
                        known.bearer = Some(bearer);
                    }
                    // Some services refuse a token when one of the scopes is denied, such as reading the repository
                    // from which a blob is mounted. The current token is valid for the other scopes.
                    Err(error)
                        if error.kind() == ErrorKind::Denied
                            && bearer.asks_for_more(request)
                            && known.valid().is_some() =>
                    {
                        tracing::debug!(%error, "the {} needs more than is allowed", request.what);
                        return Ok(None);
                    }
                    Err(error) => {
                        known.grant = None;
                        return Err(error);
                    }
                }
            }
            // A registry that names no kind of authentication gets user and password.
            Some(Challenge::Basic) | None => {
                known.bearer = None;
                known.grant = Grant::of(self.wanted(request, refused.as_ref()).await?);
            }
        }
        let header = known.grant.as_ref().map(|grant| grant.header.clone());
        // The registry would refuse the same user and password again.
        Ok(header.filter(|header| used.as_ref() != Some(header)))
    }

    /// Returns the `Authorization` header to send after an answer 403 or 404 to a request with the header `used`, if
    /// that request was anonymous and credentials are stored. Some registries, such as GitHub's, hide private content
    /// from anonymous users instead of asking for credentials.
    pub(crate) async fn reveal(
        &self,
        request: &Request,
        headers: &HeaderMap,
        used: Option<&HeaderValue>,
        limit: Duration,
    ) -> Option<HeaderValue> {
        let slot = self.slot(request);
        let mut known = slot.lock().await;
        if let Some(grant) = known.valid()
            && grant.credentials != Credentials::Anonymous
        {
            // Another task may have got this authorization after the request was sent.
            return Some(grant.header.clone()).filter(|header| used != Some(header));
        }
        let recent = known.looked_up.is_some_and(|then| then.elapsed() < PAUSE);
        if recent {
            return None;
        }
        known.looked_up = Some(Instant::now());
        match self.search(request, None).await {
            Ok(Found {
                credentials: Credentials::Anonymous,
                failure,
                ..
            }) => {
                if let Some(failure) = failure {
                    self.warn_of(&failure);
                }
                None
            }
            Ok(found) => {
                let challenge = match Challenge::choose(headers, request).ok().flatten() {
                    Some(challenge) => Some(challenge),
                    None => self.ask_for_challenge(request, limit).await,
                };
                let grant = match challenge {
                    Some(Challenge::Bearer(bearer)) => {
                        let grant = self.token(request, &bearer, None, limit).await;
                        known.bearer = Some(bearer);
                        grant.inspect_err(|error| unused(request, error)).ok()
                    }
                    Some(Challenge::Basic) | None => Grant::of(found),
                };
                Some(known.grant.insert(grant?).header.clone())
            }
            Err(error) => {
                unused(request, &error);
                None
            }
        }
    }

    /// Forgets the authorization for requests like this one, because the registry refuses it but answers without one.
    pub(crate) async fn forget(&self, request: &Request) {
        let slot = self.slot(request);
        let mut known = slot.lock().await;
        let user = known
            .grant
            .take()
            .map(|grant| grant.credentials.describe_user());
        known.bearer = None;
        let (registry, user) = (&request.registry, user.unwrap_or_default());
        tracing::warn!("{registry} refuses the credentials of {user}; continuing without them");
    }

    /// Requests the challenge at the root of the API (OCI distribution specification, "Determining Support"), for
    /// registries that refuse other requests without a challenge. `None` when there is no known challenge. Then the
    /// refusal of `request` is reported.
    async fn ask_for_challenge(&self, request: &Request, limit: Duration) -> Option<Challenge> {
        let mut root = request.url.clone();
        root.set_path("v2/");
        root.set_query(None);
        let asked = self.clients.writing.get(root);
        let response = asked.timeout(limit.min(CHALLENGE_TIMEOUT)).send().await;
        let response = response.ok()?;
        let refused = response.status() == StatusCode::UNAUTHORIZED;
        let challenge = refused.then(|| Challenge::choose(response.headers(), request));
        challenge?.ok().flatten()
    }

    /// Returns whether an authorization for requests like this one is known.
    pub(crate) async fn knows(&self, request: &Request) -> bool {
        let slot = self.slot(request);
        let known = slot.lock().await;
        known.grant.is_some()
    }

    /// Returns whether the registry has asked for credentials for requests like this one, and got them.
    pub(crate) async fn has_authenticated(&self, request: &Request) -> bool {
        let slot = self.slot(request);
        let known = slot.lock().await;
        let valid = known.valid();
        valid.is_some_and(|grant| grant.credentials != Credentials::Anonymous)
    }

    /// Returns the error for a final answer 401 or 403.
    pub(crate) async fn denied(&self, request: &Request, answer: Box<Answer>) -> Error {
        let slot = self.slot(request);
        let mut known = slot.lock().await;
        let failure = known.grant.as_mut().and_then(|grant| grant.failure.take());
        if let Some(failure) = failure {
            // The helper is asked again for the next request.
            known.grant = None;
            return failure;
        }
        let (what, registry) = (request.what.clone(), request.registry.clone());
        let unauthorized = answer.status == StatusCode::UNAUTHORIZED.as_u16();
        let credentials = match &known.grant {
            Some(grant) => Ok(grant.credentials.clone()),
            None => self.credentials(request).await,
        };
        match (credentials, &known.grant) {
            (Err(error), _) => error,
            (Ok(Credentials::Anonymous), _) => Error::CredentialsMissing {
                what,
                registry,
                answer,
            },
            // For a token, the token service has accepted the credentials.
            (Ok(credentials), Some(grant)) if unauthorized && !grant.is_token => {
                credentials_refused(registry.clone(), registry, &credentials, answer)
            }
            (Ok(credentials), _) => Error::Forbidden {
                what,
                registry,
                user: credentials.describe_user(),
                answer,
            },
        }
    }

    /// Looks up the credentials. They are not cached, because they can change while a host runs.
    pub(crate) async fn credentials(&self, request: &Request) -> Result<Credentials, Error> {
        Ok(self.wanted(request, None).await?.credentials)
    }

    /// Looks up the credentials for a registry that demands them. Fails when a source fails and no other source has
    /// credentials.
    async fn wanted(
        &self,
        request: &Request,
        refused: Option<&Credentials>,
    ) -> Result<Found, Error> {
        let found = self.search(request, refused).await?;
        match found.failure {
            Some(failure) if found.credentials == Credentials::Anonymous => Err(failure),
            _ => Ok(found),
        }
    }

    /// Looks up the credentials. The failure of a credential helper or a provider is not an error here.
    pub(super) async fn search(
        &self,
        request: &Request,
        refused: Option<&Credentials>,
    ) -> Result<Found, Error> {
        let (registry, repository) = (&request.registry, &request.repository);
        match &self.source {
            Some(source) => source.search(registry, repository, refused).await,
            None => Ok(Credentials::Anonymous.into()),
        }
    }

    /// Returns whether the source asks the program that embeds this library.
    pub(super) fn has_provider(&self) -> bool {
        let source = self.source.as_ref();
        source.is_some_and(|source| source.provider.is_some())
    }

    /// Returns whether a provider may have other credentials after the registry has refused those that were sent.
    pub(crate) async fn may_renew(&self, request: &Request) -> bool {
        if !self.has_provider() {
            return false;
        }
        let slot = self.slot(request);
        let known = slot.lock().await;
        known.grant.as_ref().is_some_and(|grant| !grant.is_token)
    }

    /// Warns the user once that a credential helper failed.
    pub(super) fn warn_of(&self, failure: &Error) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            let reason = with_causes(failure);
            tracing::warn!("{reason}; continuing without credentials");
        }
    }
}

/// Logs why stored credentials were not used for a request that the registry may answer without them.
fn unused(request: &Request, error: &Error) {
    let (what, error) = (&request.what, with_causes(error));
    tracing::warn!("the stored credentials were not used for the {what}: {error}");
}
