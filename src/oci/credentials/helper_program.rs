//! Docker's credential helpers: programs that keep secrets in the system's keychain.
//!
//! The project `docker-credential-helpers` defines the protocol. The argument is an action, standard input has its
//! input, and standard output has the answer or the error message.

use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use futures_util::future::join3;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::super::error::CredentialHelperError;
use super::super::one_line::one_line;
use super::entry::field;
use super::keys::{helper_keys, key_of};
use super::secrets::Credentials;

/// The time limit for a helper. Some helpers ask the user to unlock a keychain.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// The most bytes of the output of a helper that are read.
const OUTPUT_LIMIT: u64 = 1024 * 1024;
/// The user in the answer of a helper when the secret is an identity token.
const TOKEN_USER: &str = "<token>";
/// The message of Docker's helpers, on standard output or standard error, when they have no credentials.
const NOTHING: &str = "credentials not found";
/// Parts of the messages of other helpers, and of the keychains behind them, in this case. They are in lower case.
const NOTHING_IN_OTHER_WORDS: [&str; 9] = [
    "no credentials",
    "no matching credentials",
    "could not be found",
    "cannot be found",
    "not in the password store",
    "element not found",
    "item not found",
    "entry not found",
    "no such secret",
];

pub(super) struct Helper {
    program: String,
    time_limit: Duration,
}

impl Helper {
    /// Returns the helper with the name in a file, such as `desktop`.
    pub(super) fn new(name: &str) -> Self {
        Self {
            program: format!("docker-credential-{name}"),
            time_limit: TIME_LIMIT,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.program
    }

    /// Checks that the helper is installed, without running it.
    pub(super) fn check_installed(&self) -> Result<(), CredentialHelperError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let suffix = std::env::consts::EXE_SUFFIX;
        let names = [self.program.clone(), format!("{}{suffix}", self.program)];
        let found = std::env::split_paths(&path)
            .any(|directory| names.iter().any(|name| directory.join(name).is_file()));
        if found {
            return Ok(());
        }
        Err(CredentialHelperError::Start {
            program: self.program.clone(),
            source: io::Error::new(io::ErrorKind::NotFound, "it is not in PATH"),
        })
    }

    pub(super) async fn get(
        &self,
        registry: &str,
    ) -> Result<Option<Credentials>, CredentialHelperError> {
        let mut nothing = Ok(None);
        for key in helper_keys(registry) {
            match self.get_key(&key).await {
                Ok(None) => {}
                Err(error) if error.says_nothing() => nothing = Err(error),
                found => return found,
            }
        }
        nothing
    }

    async fn get_key(&self, key: &str) -> Result<Option<Credentials>, CredentialHelperError> {
        let Some(output) = self.run("get", key.as_bytes()).await? else {
            return Ok(None);
        };
        if output.trim_ascii().is_empty() {
            return Ok(None);
        }
        let answer = answer(&output).ok_or_else(|| CredentialHelperError::Answer {
            program: self.program.clone(),
        })?;
        Ok(match answer {
            (user, secret) if user.is_empty() && secret.is_empty() => None,
            (user, secret) if user == TOKEN_USER => Some(Credentials::IdentityToken {
                user: None,
                token: secret,
            }),
            (user, password) => Some(Credentials::Basic { user, password }),
        })
    }

    pub(super) async fn store(
        &self,
        registry: &str,
        user: &str,
        password: &str,
    ) -> Result<(), CredentialHelperError> {
        let input = json!({ "ServerURL": key_of(registry), "Username": user, "Secret": password });
        self.run("store", input.to_string().as_bytes()).await?;
        Ok(())
    }

    /// Erases the credentials for `registry`. Returns whether there were any.
    pub(super) async fn erase(&self, registry: &str) -> Result<bool, CredentialHelperError> {
        let mut erased = false;
        for key in helper_keys(registry) {
            // Some helpers do not report that they have no credentials to erase.
            let held = match self.get_key(&key).await {
                Err(error) if error.says_nothing() => None,
                held => held?,
            };
            if held.is_some() {
                self.run("erase", key.as_bytes()).await?;
                erased = true;
            }
        }
        Ok(erased)
    }

    /// Runs an action. Returns the output of the helper, or `None` when it has no credentials.
    async fn run(
        &self,
        action: &'static str,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, CredentialHelperError> {
        let program = || self.program.clone();
        let output = tokio::time::timeout(self.time_limit, self.start(action, input)).await;
        let output = output.map_err(|_| CredentialHelperError::TimedOut {
            program: program(),
            action,
            seconds: self.time_limit.as_secs(),
        })??;
        if output.stdout.len().max(output.stderr.len()) as u64 > OUTPUT_LIMIT {
            return Err(CredentialHelperError::TooLong {
                program: program(),
                action,
                limit: OUTPUT_LIMIT,
            });
        }
        if output.status.success() {
            return Ok(Some(output.stdout));
        }
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        if stdout.contains(NOTHING) || stderr.contains(NOTHING) {
            return Ok(None);
        }
        // Docker's own helpers print error messages on standard output, where secrets are printed too. So standard
        // output is used as the message only if standard error is empty and standard output does not look like an
        // answer.
        let message = match (one_line(&stderr), one_line(&stdout)) {
            (stderr, _) if !stderr.is_empty() => stderr,
            (_, stdout) if !stdout.starts_with('{') => stdout,
            _ => String::new(),
        };
        let said = format!("{stdout}\n{stderr}").to_lowercase();
        if action == "get"
            && NOTHING_IN_OTHER_WORDS
                .iter()
                .any(|words| said.contains(words))
        {
            return Err(CredentialHelperError::NothingStored {
                program: program(),
                message,
            });
        }
        Err(CredentialHelperError::Failed {
            program: program(),
            action,
            status: output.status,
            message,
        })
    }

    async fn start(
        &self,
        action: &'static str,
        input: &[u8],
    ) -> Result<Output, CredentialHelperError> {
        let mut child = Command::new(&self.program)
            .arg(action)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| CredentialHelperError::Start {
                program: self.program.clone(),
                source,
            })?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async move {
            if let Some(mut stdin) = stdin {
                // A helper may end without reading its input. Only its exit status and output matter.
                let _ = stdin.write_all(input).await;
            }
        };
        let (_, stdout, stderr) = join3(write, read(stdout), read(stderr)).await;
        let status = child.wait().await;
        let finish = || {
            Ok::<_, io::Error>(Output {
                status: status?,
                stdout: stdout?,
                stderr: stderr?,
            })
        };
        finish().map_err(|source| CredentialHelperError::Broken {
            program: self.program.clone(),
            action,
            source,
        })
    }
}

/// Returns the user and the secret in the answer of a helper, or `None` when the answer is malformed. There is no error
/// with details, because the error of the parser would quote the secret.
fn answer(output: &[u8]) -> Option<(String, String)> {
    let answer: Map<String, Value> = serde_json::from_slice(output).ok()?;
    let text = |name| match field(&answer, name) {
        None => Some(String::new()),
        Some(value) => value.as_str().map(str::to_owned),
    };
    Some((text("Username")?, text("Secret")?))
}

/// Reads at most one byte more than the limit from a stream.
async fn read(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(stream) = stream {
        stream.take(OUTPUT_LIMIT + 1).read_to_end(&mut text).await?;
    }
    Ok(text)
}

#[cfg(test)]
#[cfg(unix)]
#[path = "tests/helper_program.rs"]
mod tests;
