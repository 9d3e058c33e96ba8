//! Docker's credential helpers: programs that keep secrets where the system keeps secrets.
//!
//! The protocol is that of `docker-credential-helpers`: an action as the argument, its input on standard
//! input, the answer or what went wrong on standard output.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::super::error::CredentialHelperError;
use super::super::one_line::one_line;
use super::Credentials;

/// How long a helper may take. Some ask the user to unlock something.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// The most that is read of what a helper says, in bytes.
const OUTPUT_LIMIT: u64 = 1024 * 1024;
/// What helpers give as the user when the secret is an identity token.
const TOKEN_USER: &str = "<token>";
/// The sentence of Docker's helpers for "nothing stored", on either stream.
const NOTHING: &str = "credentials not found";

/// A helper that a file names.
pub(super) struct Helper {
    program: String,
    time_limit: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

struct Output {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Helper {
    pub(super) fn new(name: &str) -> Self {
        Self {
            program: format!("docker-credential-{name}"),
            time_limit: TIME_LIMIT,
        }
    }

    /// The name of its program.
    pub(super) fn name(&self) -> &str {
        &self.program
    }

    /// What it keeps for `server`, if anything.
    pub(super) async fn get(
        &self,
        server: &str,
    ) -> Result<Option<Credentials>, CredentialHelperError> {
        let Some(output) = self.run("get", server.as_bytes()).await? else {
            return Ok(None);
        };
        // The error of `serde_json` is left out: it quotes what it read.
        let answer: Answer =
            serde_json::from_slice(&output).map_err(|_| CredentialHelperError::Answer {
                program: self.program.clone(),
            })?;
        let (user, secret) = (answer.username, answer.secret);
        Ok(match (user.as_str(), secret.as_str()) {
            ("", "") => None,
            (TOKEN_USER, _) => Some(Credentials::IdentityToken(secret)),
            _ => Some(Credentials::Basic {
                user,
                password: secret,
            }),
        })
    }

    /// Has it keep a user and a password.
    pub(super) async fn store(
        &self,
        server: &str,
        user: &str,
        password: &str,
    ) -> Result<(), CredentialHelperError> {
        let input = json!({ "ServerURL": server, "Username": user, "Secret": password });
        self.run("store", input.to_string().as_bytes()).await?;
        Ok(())
    }

    /// Has it forget what it keeps for `server`.
    pub(super) async fn erase(&self, server: &str) -> Result<(), CredentialHelperError> {
        self.run("erase", server.as_bytes()).await?;
        Ok(())
    }

    /// What it printed, or `None` when it says that nothing is stored.
    async fn run(
        &self,
        action: &'static str,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, CredentialHelperError> {
        let program = || self.program.clone();
        let output = tokio::time::timeout(self.time_limit, self.converse(action, input)).await;
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
        // Docker's own say what went wrong on standard output. That is where secrets go, too: it is told
        // only when there is nothing else, and it is no answer.
        let message = match (one_line(&stderr), one_line(&stdout)) {
            (stderr, _) if !stderr.is_empty() => stderr,
            (_, stdout) if !stdout.starts_with('{') => stdout,
            _ => String::new(),
        };
        Err(CredentialHelperError::Failed {
            program: program(),
            action,
            status: output.status,
            message,
        })
    }

    async fn converse(
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
        let tell = async move {
            if let Some(mut stdin) = stdin {
                // One that does not want to know ends without reading. What it says counts.
                let _ = stdin.write_all(input).await;
            }
        };
        let (_, stdout, stderr) = tokio::join!(tell, read(stdout), read(stderr));
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

/// All of it, or one byte more than is allowed.
async fn read(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(stream) = stream {
        stream.take(OUTPUT_LIMIT + 1).read_to_end(&mut text).await?;
    }
    Ok(text)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Instant;

    use super::*;

    /// What a helper that is this script says when it is asked for something.
    async fn get(script: &str) -> Result<Option<Credentials>, CredentialHelperError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-test");
        std::fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let helper = Helper {
            program: path.display().to_string(),
            time_limit: Duration::from_secs(2),
        };
        loop {
            match helper.get("ghcr.io").await {
                // Another test was about to start its own, and has the file open until it has.
                Err(CredentialHelperError::Start { source, .. })
                    if source.kind() == io::ErrorKind::ExecutableFileBusy => {}
                answer => return answer,
            }
        }
    }

    #[tokio::test]
    async fn an_answer_is_credentials_a_token_or_nothing() {
        let basic = get(r#"cat >/dev/null; echo '{"Username":"a","Secret":"b"}'"#).await;
        let expected = Credentials::Basic {
            user: "a".to_owned(),
            password: "b".to_owned(),
        };
        assert_eq!(basic.unwrap(), Some(expected));
        let token = get(r#"echo '{"Username":"<token>","Secret":"b"}'"#).await;
        let expected = Credentials::IdentityToken("b".to_owned());
        assert_eq!(token.unwrap(), Some(expected));
        assert_eq!(get("echo '{}'").await.unwrap(), None);
        let nothing = get("echo credentials not found in native keychain; exit 1").await;
        assert_eq!(nothing.unwrap(), None);
    }

    #[tokio::test]
    async fn a_failure_is_told_as_what_it_is_without_what_may_be_a_secret() {
        for (script, expected) in [
            ("exit 7", "(exit status: 7) without a message"),
            (
                "echo the keychain is locked; exit 1",
                ": the keychain is locked",
            ),
            ("echo hunter2; echo locked >&2; exit 1", ": locked"),
            (
                r#"echo '{"Secret":"hunter2"}'; exit 1"#,
                "without a message",
            ),
            ("echo hunter2", "did not print credentials"),
            ("head -c 2000000 /dev/zero", "more than 1048576 bytes"),
            ("kill -9 $$", "signal: 9"),
        ] {
            let error = get(script).await.unwrap_err();
            let text = error.to_string();
            assert!(text.contains(expected), "{script}: {text}");
            assert!(!format!("{error:?} {text}").contains("hunter2"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_helper_that_does_not_end_is_given_up() {
        let started = Instant::now();
        let error = get("exec sleep 60").await.unwrap_err();
        assert!(error.to_string().contains("within 2 seconds"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}
