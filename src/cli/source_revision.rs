//! Asking git about the source of an archive.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Error, Result, bail};
use futures_util::future::try_join;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::content::ErrorKind;

use super::output::{Failure, path_text};

/// How long git may take for one answer.
const LIMIT: Duration = Duration::from_secs(60);
/// How many bytes of an answer of git are read.
const LONGEST: u64 = 64 * 1024;

/// Where the source of an archive is, and which revision it has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SourceRevision {
    /// The URL of the remote `origin`, without credentials. `None` if there is none, or others cannot reach it.
    pub(crate) url: Option<String>,
    /// The hash of the commit.
    pub(crate) commit: String,
    /// Whether files differ from the commit. Files that git does not track do not count.
    pub(crate) is_dirty: bool,
}

impl SourceRevision {
    /// Asks git about the working tree that `directory` is in.
    pub(crate) async fn of(directory: &Path) -> Result<Self> {
        let git = Git { directory };
        let commit = git.ask(&["rev-parse", "--verify", "HEAD"]).await?;
        let commit = match commit {
            Ok(commit) if is_hash(&commit) => commit,
            Ok(other) | Err(other) => {
                let reason = other.lines().next().unwrap_or_default();
                let message = format!("git has no commit for {}: {reason}", path_text(directory));
                bail!(
                    Failure::usage(message).hint(
                        "name a directory of a git repository, or give the annotations with -a"
                    )
                );
            }
        };
        let remote = git.ask(&["remote", "get-url", "origin"]).await?;
        let changes = ["status", "--porcelain", "--untracked-files=no"];
        let changes = git.ask(&changes).await?;
        Ok(Self {
            url: remote.ok().as_deref().and_then(public_url),
            commit,
            is_dirty: changes.map_or(true, |changes| !changes.is_empty()),
        })
    }
}

/// The program git, in a directory.
struct Git<'a> {
    directory: &'a Path,
}

impl Git<'_> {
    /// Returns the answer of git, without white space around it, or its error message. At most [`LONGEST`] bytes are
    /// read.
    async fn ask(&self, arguments: &[&str]) -> Result<Result<String, String>> {
        let mut command = Command::new("git");
        command
            // These options keep git from starting a program that the repository configures, and from writing to the
            // repository.
            .args(["-c", "core.fsmonitor=false", "-C"])
            .arg(self.directory)
            .args(arguments)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            let kind = ErrorKind::of_io(&error);
            let hint = "install git, or give the annotations with -a";
            Error::new(error).context(Failure::new(kind, "cannot start git").hint(hint))
        })?;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let answer = async {
            let (output, errors) = try_join(read(output), read(errors)).await?;
            // git ends now: its output is complete, or closed for further writes.
            let status = child.wait().await?;
            let is_answer = status.success() || output.len() as u64 == LONGEST;
            let text = if is_answer { Ok(output) } else { Err(errors) };
            let trimmed = |text: Vec<u8>| String::from_utf8_lossy(&text).trim().to_owned();
            std::io::Result::Ok(text.map(trimmed).map_err(trimmed))
        };
        let answer = tokio::time::timeout(LIMIT, answer).await;
        let answer = answer.with_context(|| {
            let seconds = LIMIT.as_secs();
            let message = format!("git did not answer within {seconds} seconds");
            Failure::new(ErrorKind::Other, message)
        })?;
        answer.context("cannot read the answer of git")
    }
}

/// Reads the first [`LONGEST`] bytes.
async fn read(output: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(output) = output {
        output.take(LONGEST).read_to_end(&mut text).await?;
    }
    Ok(text)
}

/// Whether `text` is the hash of a commit.
fn is_hash(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the web address of a remote, without credentials, port of SSH, query and suffix `.git`. `None` for a path
/// on this machine.
fn public_url(remote: &str) -> Option<String> {
    let (scheme, rest) = match remote.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest.to_owned()),
        // The form of scp: `[user@]host:path`. With a slash before the colon, it is a path.
        None => {
            let (host, path) = remote.split_once(':')?;
            // A single letter before the colon is a drive of Windows.
            if host.contains('/') || host.len() < 2 {
                return None;
            }
            let path = path.trim_start_matches('/');
            ("ssh".to_owned(), format!("{host}/{path}"))
        }
    };
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = rest.split_once('/')?;
    let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (scheme, host) = match scheme.as_str() {
        "http" => ("http", host),
        "https" => ("https", host),
        "ssh" | "git" | "git+ssh" | "ssh+git" => {
            ("https", host.split_once(':').map_or(host, |(host, _)| host))
        }
        _ => return None,
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    // An `@` in the path may be the end of a password that contains a slash or a colon, so the remote is not used.
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '@' | '\\');
    if !is_host(host) || path.is_empty() || !path.chars().all(is_plain) {
        return None;
    }
    Some(format!("{scheme}://{host}/{path}"))
}

/// Returns whether a text is a host, perhaps with a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']');
    let is_address = |c: char| is_part(c) || c == ':' && host.starts_with('[');
    let is_number = |port: &str| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    !host.is_empty() && host.chars().all(is_address) && port.is_none_or(is_number)
}

#[cfg(test)]
#[path = "tests/source_revision.rs"]
mod tests;
