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

/// Answers with credentials for a registry and a repository.
///
/// A client asks when a registry demands credentials, when credentials or the token that they gave have
/// expired, and when they are refused. So a provider that returns what is valid now is all that renewal takes. The
/// client keeps what it got until then, for each repository on its own.
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
    /// Returns the credentials for a repository. `None` means that this provider knows none, and that other sources
    /// of the [`CredentialSource`](super::CredentialSource) may. [`Credentials::Anonymous`] ends the search.
    ///
    /// It is asked for several repositories at the same time, and has 30 seconds to answer. It must not use the
    /// client that asks it for the same repository: that waits for the answer.
    ///
    /// # Errors
    ///
    /// The client goes on without credentials, because the registry may serve everybody. When it does not, the
    /// error is reported as the source of [`Error::CredentialProvider`].
    async fn credentials(
        &self,
        request: CredentialRequest<'_>,
    ) -> Result<Option<ProvidedCredentials>, Box<dyn StdError + Send + Sync>>;
}

/// What credentials are asked for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CredentialRequest<'a> {
    /// The host that gets the credentials, with its port when one is written: the registry as it stands in the
    /// reference, or one of the mirrors that a `hosts.toml` names. Compare it: what is returned is sent there. A
    /// host that a registry redirects to is not asked about.
    pub registry: &'a str,
    /// The repository, such as `org/provider`. It is empty for a request about the registry as a whole.
    pub repository: &'a str,
    /// The credentials that were refused just now. If the same ones are returned again, the request fails.
    pub refused: Option<&'a Credentials>,
}

impl<'a> CredentialRequest<'a> {
    /// Returns a request without refused credentials, as for a test of a provider.
    #[must_use]
    pub fn new(registry: &'a str, repository: &'a str) -> Self {
        Self {
            registry,
            repository,
            refused: None,
        }
    }
}

/// Credentials, and how long they are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvidedCredentials {
    /// The credentials.
    pub credentials: Credentials,
    /// When they expire. `None`: they are used until they are refused.
    pub expires: Option<SystemTime>,
}

impl ProvidedCredentials {
    /// Sets when the credentials expire. After that, the provider is asked before the next request.
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

/// Returns `time` on the clock that only goes forward. A time that is past is now. `None`: it is too far away.
fn instant(time: SystemTime) -> Option<Instant> {
    let left = time.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now().checked_add(left)
}
