//! The search for credentials.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::content::Share;

use super::super::error::{CredentialHelperError, Error};
use super::file::CredentialFile;
use super::found::Found;
use super::places::{self, variable};
use super::provider::{CredentialProvider, CredentialRequest, ask};
use super::secrets::Credentials;

/// The sources of credentials. By default, these are the variables and files of Docker, Podman and wasmCloud's host.
///
/// The first of these sources that knows the registry decides: the credentials in the
/// [`RegistrySettings`](crate::oci::RegistrySettings) of this registry; `explicit`; the [provider](Self::provider);
/// `WASMCLOUD_OCI_REGISTRY_USER` and `…_PASSWORD` for the registry in `WASMCLOUD_OCI_REGISTRY`; `registry_config`, or
/// else the file in `REGISTRY_AUTH_FILE`, each of which replaces all files that follow; Docker's `config.json`;
/// Podman's `auth.json`.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct CredentialSource {
    /// The user and the password that the caller gives. A client with this source sends them to every registry. So set
    /// them only if the client uses a single registry.
    pub explicit: Option<(String, String)>,
    /// A file in the format of Docker's `config.json` that is read instead of all other files. It may not exist yet.
    pub registry_config: Option<PathBuf>,
    /// Credentials for the single registry of this source.
    pub(crate) given: Option<Credentials>,
    pub(crate) provider: Option<Arc<dyn CredentialProvider>>,
    /// Whether environment variables and files are ignored.
    pub(crate) isolated: bool,
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.explicit.as_ref().map(|(user, _)| user);
        formatter
            .debug_struct("CredentialSource")
            .field("explicit_user", &user)
            .field("registry_config", &self.registry_config)
            .field("given", &self.given)
            .field("has_provider", &self.provider.is_some())
            .finish_non_exhaustive()
    }
}

impl CredentialSource {
    /// Sets [`explicit`](Self::explicit): a user and a password.
    #[must_use]
    pub fn explicit(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.explicit = Some((user.into(), password.into()));
        self
    }

    /// Sets [`registry_config`](Self::registry_config): the file that is read instead of all others.
    #[must_use]
    pub fn registry_config(mut self, file: impl Into<PathBuf>) -> Self {
        self.registry_config = Some(file.into());
        self
    }

    /// Sets a provider, which is asked before environment variables and files are read.
    #[must_use]
    pub fn provider(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Returns this source for a mirror, without the credentials that are only for the registry.
    pub(in crate::oci) fn for_mirror(&self) -> Self {
        Self {
            explicit: None,
            given: None,
            ..self.clone()
        }
    }

    /// Returns this source for hosts to which a registry redirects. The registry chooses such a host, so the host gets
    /// only credentials that are stored under its own name.
    pub(in crate::oci) fn for_redirects(&self) -> Self {
        Self {
            provider: None,
            ..self.for_mirror()
        }
    }

    /// Returns the credentials for a repository, such as `org/provider`, of `registry`, a host with an optional port.
    /// With an empty repository, returns the credentials for the whole registry. Returns [`Credentials::Anonymous`]
    /// when no source has credentials.
    ///
    /// Reads files, and may run one of Docker's credential helpers, for at most 20 seconds.
    ///
    /// # Errors
    ///
    /// [`Error::CredentialFile`] and [`Error::CredentialEntry`] when a file cannot be read, [`Error::CredentialHelper`]
    /// when the helper that it names fails. Such an error ends the search, because a later file may have the
    /// credentials of another user. When a helper reports that it has no credentials, the search continues. A client
    /// continues without credentials after a helper has failed, and reports the failure only when the registry refuses.
    pub async fn find(&self, registry: &str, repository: &str) -> Result<Credentials, Error> {
        let found = self.search(registry, repository, None).await?;
        match found.failure {
            Some(failure) if found.credentials == Credentials::Anonymous => Err(failure),
            _ => Ok(found.credentials),
        }
    }

    /// [Finds](Self::find) the credentials, but returns no error when the helper of a file fails, because a public
    /// registry needs no credentials. `refused` are credentials that were found before and that the registry refused.
    pub(in crate::oci) async fn search(
        &self,
        registry: &str,
        repository: &str,
        refused: Option<&Credentials>,
    ) -> Result<Found, Error> {
        if let Some(given) = &self.given {
            return Ok(given.clone().into());
        }
        if let Some((user, password)) = self.explicit.clone() {
            return Ok(Credentials::Basic { user, password }.into());
        }
        if let Some(provider) = &self.provider {
            let request = CredentialRequest {
                registry,
                repository,
                refused,
            };
            if let Some(found) = ask(provider, request).await {
                return Ok(found);
            }
        }
        let mut nothing = Found::from(Credentials::Anonymous);
        if self.isolated && self.registry_config.is_none() {
            return Ok(nothing);
        }
        if let Some((user, password)) = places::variables(registry, self.variables()) {
            return Ok(Credentials::Basic { user, password }.into());
        }
        for path in places::files(self.registry_config.as_deref(), self.variables()) {
            let Some(file) = read(&path, registry).await? else {
                continue;
            };
            if let Some(helper) = file.helper(registry)? {
                match helper.get(registry).await {
                    Ok(Some(credentials)) => return Ok(credentials.into()),
                    Ok(None) => {}
                    Err(source) => {
                        let holds_nothing = source.says_nothing();
                        nothing.failure = Some(helper_failed(&path, registry, source));
                        if !holds_nothing {
                            // A later file may have the credentials of another user.
                            return Ok(nothing);
                        }
                    }
                }
            }
            if let Some(credentials) = file.entry(registry, repository)? {
                return Ok(credentials.into());
            }
        }
        Ok(nothing)
    }

    /// Returns the function that reads environment variables. It reads none for an isolated source.
    fn variables(&self) -> fn(&str) -> Option<OsString> {
        if self.isolated { |_| None } else { variable }
    }
}

/// Reading a pipe, or a file of a server that does not answer, may take for ever.
static READS: Share = Share::of(2);

/// Reads a file with credentials. Returns `None` when there is no such file.
pub(super) async fn read(path: &Path, registry: &str) -> Result<Option<CredentialFile>, Error> {
    let (path, registry) = (path.to_owned(), registry.to_owned());
    READS
        .blocking(move || CredentialFile::read(&path, &registry))
        .await
}

pub(super) fn helper_failed(path: &Path, registry: &str, source: CredentialHelperError) -> Error {
    Error::CredentialHelper {
        registry: registry.to_owned(),
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
#[path = "tests/source.rs"]
mod tests;
