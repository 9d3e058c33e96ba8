//! Credentials: where they come from, and where they are kept.
//!
//! The first of these that knows the registry decides:
//!
//! 1. [`CredentialSource::explicit`];
//! 2. the variables `WASMCLOUD_OCI_REGISTRY_USER` and `WASMCLOUD_OCI_REGISTRY_PASSWORD`, for the registry
//!    in `WASMCLOUD_OCI_REGISTRY` alone, as wasmCloud's host takes them;
//! 3. [`CredentialSource::registry_config`], or else the file in `REGISTRY_AUTH_FILE`: with either, none
//!    of the files below is read;
//! 4. Docker's `config.json`, in `$DOCKER_CONFIG` or `~/.docker`;
//! 5. Podman's `auth.json`, in `$XDG_RUNTIME_DIR/containers`, then in `containers` of
//!    `$XDG_CONFIG_HOME` or `~/.config`.
//!
//! Within a file, it is the helper of `credHelpers`, or else of `credsStore`, and then the entry of
//! `auths` that fits best: one for `registry/namespace` goes before one for `registry`, as Podman has it.
//! Docker Hub has many names (`docker.io`, `index.docker.io`, `https://index.docker.io/v1/`), and any of
//! them will do. A variable that is set to nothing counts as unset.

mod file;
mod helper_program;
mod keeping;
mod places;
mod server;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::{CredentialHelperError, Error, one_line};
use crate::content::{blocking, home};
use file::CredentialFile;
pub use keeping::Kept;
use server::server;

/// What a registry is told about who is asking.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing.
    Anonymous,
    /// A user and a password, which may be empty.
    Basic {
        /// The user.
        user: String,
        /// The password, or an access token that stands in for one.
        password: String,
    },
    /// A token that a token service exchanges for access tokens.
    IdentityToken(String),
}

impl Credentials {
    /// Who this is, for messages.
    #[must_use]
    pub fn who(&self) -> String {
        match self {
            Self::Anonymous => "anonymous users".to_owned(),
            Self::Basic { user, .. } => format!("user {}", one_line(user)),
            Self::IdentityToken(_) => "the stored identity token".to_owned(),
        }
    }
}

// Without the secrets: it ends up in logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("Anonymous"),
            Self::Basic { user, .. } => formatter
                .debug_struct("Basic")
                .field("user", user)
                .finish_non_exhaustive(),
            Self::IdentityToken(_) => formatter.write_str("IdentityToken(…)"),
        }
    }
}

/// Where credentials are looked for, and where [`keep`](Self::keep) puts them. By default: in the
/// variables and files that Docker, Podman and wasmCloud's host use.
///
/// The first of these that knows the registry decides: `explicit`; `WASMCLOUD_OCI_REGISTRY_USER` and
/// `…_PASSWORD` for the registry in `WASMCLOUD_OCI_REGISTRY`; `registry_config`, or else the file in
/// `REGISTRY_AUTH_FILE`, each of which stands in for all files that follow; Docker's `config.json`;
/// Podman's `auth.json`.
#[derive(Clone, Default)]
pub struct CredentialSource {
    /// User and password as given by the caller. They answer for every registry that this source is
    /// asked about, so give them only where one registry is meant.
    pub explicit: Option<(String, String)>,
    /// A file in the format of Docker's `config.json` that is read instead of all others. It need not
    /// exist.
    pub registry_config: Option<PathBuf>,
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.explicit.as_ref().map(|(user, _)| user);
        formatter
            .debug_struct("CredentialSource")
            .field("explicit_user", &user)
            .field("registry_config", &self.registry_config)
            .finish_non_exhaustive()
    }
}

impl CredentialSource {
    /// The credentials for a repository, such as `org/provider`, of `registry`, a host with its port when
    /// it has one. Without a repository: for the registry as a whole. [`Credentials::Anonymous`] when
    /// nobody knows the registry.
    ///
    /// It reads files, and may run one of Docker's credential helpers, which has 20 seconds to answer.
    ///
    /// # Errors
    ///
    /// [`Error::CredentialFile`] and [`Error::CredentialEntry`] when a file cannot be read,
    /// [`Error::CredentialHelper`] when the helper that it names fails. What comes after it is not tried
    /// then: it might belong to somebody else.
    pub async fn find(&self, registry: &str, repository: &str) -> Result<Credentials, Error> {
        let given = self.explicit.clone();
        if let Some((user, password)) = given.or_else(|| places::variables(registry, variable)) {
            return Ok(Credentials::Basic { user, password });
        }
        for path in places::files(self.registry_config.as_deref(), variable) {
            let Some(file) = read(&path, registry).await? else {
                continue;
            };
            if let Some(helper) = file.helper(registry)
                && let Some(credentials) = helper
                    .get(server(registry))
                    .await
                    .map_err(|source| helper_failed(&path, registry, source))?
            {
                return Ok(credentials);
            }
            if let Some(credentials) = file.entry(registry, repository)? {
                return Ok(credentials);
            }
        }
        Ok(Credentials::Anonymous)
    }
}

async fn read(path: &Path, registry: &str) -> Result<Option<CredentialFile>, Error> {
    let (path, registry) = (path.to_owned(), registry.to_owned());
    blocking(move || CredentialFile::read(&path, &registry)).await
}

fn helper_failed(path: &Path, registry: &str, source: CredentialHelperError) -> Error {
    Error::CredentialHelper {
        registry: registry.to_owned(),
        path: path.to_owned(),
        source,
    }
}

/// A variable of the environment that is set to something. Services have a home without `HOME`, too.
fn variable(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    match name {
        "HOME" => value.or_else(|| Some(home()?.into_os_string())),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::ErrorKind;

    async fn find(config: &str, registry: &str) -> Result<Credentials, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, config).unwrap();
        let source = CredentialSource {
            registry_config: Some(path),
            ..CredentialSource::default()
        };
        source.find(registry, "org/provider").await
    }

    fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    #[tokio::test]
    async fn explicit_credentials_win_and_an_absent_file_means_anonymous() {
        let mut source = CredentialSource {
            explicit: None,
            registry_config: Some(PathBuf::from("/nonexistent/config.json")),
        };
        let found = source.find("ghcr.io", "a").await.unwrap();
        assert_eq!(found, Credentials::Anonymous);
        source.explicit = Some(("me".to_owned(), String::new()));
        assert_eq!(source.find("ghcr.io", "a").await.unwrap(), basic("me", ""));
    }

    #[tokio::test]
    async fn a_malformed_file_and_a_missing_helper_are_errors_that_name_the_file() {
        for config in [
            "not json",
            "[]",
            r#"{"credsStore": "does-not-exist-anywhere"}"#,
        ] {
            let error = find(config, "ghcr.io").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Denied);
            assert!(error.to_string().contains("config.json"), "{error}");
        }
    }

    #[tokio::test]
    async fn secrets_are_not_printed() {
        let source = CredentialSource {
            explicit: Some(("me".to_owned(), "hunter2".to_owned())),
            registry_config: None,
        };
        let credentials = source.find("ghcr.io", "a").await.unwrap();
        let token = Credentials::IdentityToken("hunter2".to_owned());
        assert!(!format!("{source:?} {credentials:?} {token:?}").contains("hunter2"));
        for config in [
            r#"{"auths": {"ghcr.io": {"auth": "hunter2"}}}"#,
            r#"{"auths": {"ghcr.io": {"password": hunter2}}}"#,
            r#"{"auths": "hunter2"}"#,
        ] {
            let found = find(config, "ghcr.io").await;
            assert!(!format!("{found:?}").contains("hunter2"));
        }
    }
}
