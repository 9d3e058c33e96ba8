//! Credentials: where they come from.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential};

use super::error::{Error, one_line};

/// The largest `config.json` that is read, in bytes.
const CONFIG_LIMIT: u64 = 4 * 1024 * 1024;
/// What Docker files the credentials of Docker Hub under.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

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

/// Where credentials are looked for: first `explicit`, then `registry_config`, then Docker's own
/// `config.json` in `$DOCKER_CONFIG` or `~/.docker`.
#[derive(Clone, Default)]
pub struct CredentialSource {
    /// User and password as given by the caller. They answer for every registry that this source is
    /// asked about, so give them only where one registry is meant.
    pub explicit: Option<(String, String)>,
    /// A file in the format of Docker's `config.json` that is read instead of it.
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
    /// The credentials for `registry`, a host with its port when it has one. A file that does not
    /// exist and a registry that it does not name mean [`Credentials::Anonymous`].
    ///
    /// Blocks: it reads a file, and may run one of Docker's credential helpers.
    ///
    /// # Errors
    ///
    /// [`Error::CredentialFile`] and [`Error::CredentialEntry`] when the file cannot be read, and when
    /// the helper that it names fails.
    pub fn for_registry(&self, registry: &str) -> Result<Credentials, Error> {
        if let Some((user, password)) = &self.explicit {
            return Ok(Credentials::Basic {
                user: user.clone(),
                password: password.clone(),
            });
        }
        match self.registry_config.clone().or_else(docker_config) {
            Some(path) => from_file(&path, registry),
            None => Ok(Credentials::Anonymous),
        }
    }
}

fn docker_config() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = match set("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(set("HOME").or_else(|| set("USERPROFILE"))?).join(".docker"),
    };
    Some(folder.join("config.json"))
}

fn from_file(path: &Path, registry: &str) -> Result<Credentials, Error> {
    let unreadable = |source| Error::CredentialFile {
        registry: registry.to_owned(),
        path: path.to_owned(),
        source,
    };
    // Read here rather than by `docker_credential`, which cannot tell absent from malformed.
    let mut text = Vec::new();
    match File::open(path) {
        Ok(file) => file
            .take(CONFIG_LIMIT)
            .read_to_end(&mut text)
            .map_err(unreadable)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Credentials::Anonymous),
        Err(error) => return Err(unreadable(error)),
    };
    let key = match registry {
        "docker.io" => DOCKER_HUB_KEY,
        registry => registry,
    };
    let entry = |reason: String| Error::CredentialEntry {
        registry: registry.to_owned(),
        path: path.to_owned(),
        reason,
    };
    match docker_credential::get_credential_from_reader(text.as_slice(), key) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Credentials::Basic { user, password })
        }
        Ok(DockerCredential::IdentityToken(token)) => Ok(Credentials::IdentityToken(token)),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(Credentials::Anonymous),
        Err(CredentialRetrievalError::HelperFailure {
            helper,
            stdout,
            stderr,
        }) => {
            // The sentence of Docker's helpers for "nothing stored", on either stream.
            if [&stdout, &stderr]
                .iter()
                .any(|text| text.contains("credentials not found"))
            {
                return Ok(Credentials::Anonymous);
            }
            // Only what it said on stderr: stdout is where secrets go.
            Err(entry(format!(
                "`{helper} get` failed: {}",
                one_line(&stderr)
            )))
        }
        Err(CredentialRetrievalError::ConfigReadError) => {
            Err(entry("it is not a docker config.json".to_owned()))
        }
        Err(CredentialRetrievalError::HelperCommunicationError) => Err(entry(
            "the credential helper that it names cannot be run".to_owned(),
        )),
        Err(error) => Err(entry(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::ErrorKind;

    fn look_up(config: &str, registry: &str) -> Result<Credentials, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, config).unwrap();
        let source = CredentialSource {
            registry_config: Some(path),
            ..CredentialSource::default()
        };
        source.for_registry(registry)
    }

    fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    #[test]
    fn a_stored_entry_is_found_and_docker_hub_has_its_own_key() {
        let config = r#"{"auths": {
            "ghcr.io": {"auth": "dXNlcjpwYXNz"},
            "https://index.docker.io/v1/": {"auth": "aHViOg=="},
            "azurecr.io": {"identitytoken": "secret"}}}"#;
        assert_eq!(look_up(config, "ghcr.io").unwrap(), basic("user", "pass"));
        assert_eq!(look_up(config, "docker.io").unwrap(), basic("hub", ""));
        let token = Credentials::IdentityToken("secret".to_owned());
        assert_eq!(look_up(config, "azurecr.io").unwrap(), token);
        assert_eq!(look_up(config, "quay.io").unwrap(), Credentials::Anonymous);
    }

    #[test]
    fn explicit_credentials_win_and_an_absent_file_means_anonymous() {
        let mut source = CredentialSource {
            explicit: None,
            registry_config: Some(PathBuf::from("/nonexistent/config.json")),
        };
        assert_eq!(
            source.for_registry("ghcr.io").unwrap(),
            Credentials::Anonymous
        );
        source.explicit = Some(("me".to_owned(), String::new()));
        assert_eq!(source.for_registry("ghcr.io").unwrap(), basic("me", ""));
    }

    #[test]
    fn a_malformed_file_and_a_missing_helper_are_errors_that_name_the_file() {
        for config in ["not json", r#"{"credsStore": "does-not-exist-anywhere"}"#] {
            let error = look_up(config, "ghcr.io").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Denied);
            assert!(error.to_string().contains("config.json"), "{error}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let source = CredentialSource {
            explicit: Some(("me".to_owned(), "hunter2".to_owned())),
            registry_config: None,
        };
        let credentials = source.for_registry("ghcr.io").unwrap();
        let token = Credentials::IdentityToken("hunter2".to_owned());
        assert!(!format!("{source:?} {credentials:?} {token:?}").contains("hunter2"));
    }
}
