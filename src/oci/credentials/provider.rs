//! Credentials from the code of the program that embeds this library.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;

use super::super::error::Error;
use super::found::Found;
use super::secrets::Credentials;

/// How long a provider may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Provides credentials for a registry and a repository.
///
/// A client asks the provider when a registry demands credentials, when the credentials or a token from them have
/// expired, and when a registry refuses them. So a provider only has to return credentials that are valid now, and they
/// are renewed in time. The client keeps them for each repository separately.
///
/// ```
/// use std::error::Error;
///
/// use async_trait::async_trait;
/// use wasmcloud_par::oci::{
///     CredentialProvider, CredentialRequest, Credentials, ProvidedCredentials,
/// };
///
/// /// One password for `registry.internal`, and none for other registries.
/// struct Internal;
///
/// #[async_trait]
/// impl CredentialProvider for Internal {
///     async fn credentials(
///         &self,
///         request: CredentialRequest<'_>,
///     ) -> Result<Option<ProvidedCredentials>, Box<dyn Error + Send + Sync>> {
///         if request.registry != "registry.internal" {
///             return Ok(None);
///         }
///         let password = std::fs::read_to_string("/run/secrets/registry")?;
///         Ok(Some(Credentials::basic("host", password.trim_end()).into()))
///     }
/// }
/// ```
#[async_trait]
pub trait CredentialProvider: Send + Sync {
    /// Returns the credentials for a repository. With `None`, the client searches the other sources of the
    /// [`CredentialSource`](super::CredentialSource). [`Credentials::Anonymous`] ends the search.
    ///
    /// The client may ask for several repositories at the same time. It waits up to 30 seconds for an answer. The
    /// provider must not use the same client for the same repository, because that client waits for the answer.
    ///
    /// # Errors
    ///
    /// After an error, the client continues without credentials, because the registry may serve anonymous users. When
    /// the registry refuses, the error is reported as the source of [`Error::CredentialProvider`].
    async fn credentials(
        &self,
        request: CredentialRequest<'_>,
    ) -> Result<Option<ProvidedCredentials>, Box<dyn StdError + Send + Sync>>;
}

/// A request for credentials.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CredentialRequest<'a> {
    /// The host to which the credentials are sent, with its port if one is written: the registry as in the reference,
    /// or a mirror that a `hosts.toml` names. The provider should compare it with the hosts that it knows. There are no
    /// requests for hosts to which a registry redirects.
    pub registry: &'a str,
    /// The repository, such as `org/provider`. It is empty for a request about the registry as a whole.
    pub repository: &'a str,
    /// The credentials that the registry has just refused. If the provider returns the same ones again, the request to
    /// the registry fails.
    pub refused: Option<&'a Credentials>,
}

impl<'a> CredentialRequest<'a> {
    /// Returns a request without refused credentials, for example to test a provider.
    #[must_use]
    pub fn new(registry: &'a str, repository: &'a str) -> Self {
        Self {
            registry,
            repository,
            refused: None,
        }
    }
}

/// Credentials, and the time at which they expire.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvidedCredentials {
    /// The credentials.
    pub credentials: Credentials,
    /// The time at which the credentials expire. With `None`, they are used until a registry refuses them.
    pub expires: Option<SystemTime>,
}

impl ProvidedCredentials {
    /// Sets the time at which the credentials expire. After that time, the client asks the provider before the next
    /// request.
    #[must_use]
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.expires = Some(at);
        self
    }
}

impl From<Credentials> for ProvidedCredentials {
    fn from(credentials: Credentials) -> Self {
        Self {
            credentials,
            expires: None,
        }
    }
}

/// Asks `provider`. Returns `None` when it knows no credentials.
pub(super) async fn ask(
    provider: &Arc<dyn CredentialProvider>,
    request: CredentialRequest<'_>,
) -> Option<Found> {
    let answer = tokio::time::timeout(TIMEOUT, provider.credentials(request));
    let answer = answer.await.unwrap_or_else(|_| {
        let seconds = TIMEOUT.as_secs();
        Err(format!("it gave no answer within {seconds} seconds").into())
    });
    match answer {
        Ok(None) => None,
        Ok(Some(provided)) => Some(Found {
            credentials: provided.credentials,
            failure: None,
            expires: provided.expires.and_then(instant),
        }),
        Err(source) => Some(Found {
            credentials: Credentials::Anonymous,
            failure: Some(Error::CredentialProvider {
                registry: request.registry.to_owned(),
                source,
            }),
            expires: None,
        }),
    }
}

/// Returns `time` on the monotonic clock. A time in the past becomes the current time. `None` when the time is too far
/// in the future for that clock.
fn instant(time: SystemTime) -> Option<Instant> {
    let left = time.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now().checked_add(left)
}
