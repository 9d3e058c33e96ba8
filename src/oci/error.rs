//! What can go wrong between here and a registry or a layout.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::content::{Digest, ErrorKind, StoreError, VerifyError};

use super::credentials::CredentialHelperError;
use super::reference::ParseReferenceError;

/// What a server answered when it refused: its status, and one line of what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The code of the OCI error envelope, such as `MANIFEST_UNKNOWN`.
    pub code: Option<String>,
    /// What it said, on one line and cut to a readable length.
    pub message: Option<String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HTTP {}", self.status)?;
        for text in [&self.code, &self.message].into_iter().flatten() {
            write!(formatter, ", {text}")?;
        }
        Ok(())
    }
}

/// An error of this layer. `what` names the content as in "manifest 1.0 of ghcr.io/org/provider".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the messages say what each variant and its fields are"
)]
pub enum Error {
    #[error(transparent)]
    Reference(#[from] ParseReferenceError),
    #[error("`{name}` is neither a tag nor a digest")]
    Name { name: String },

    #[error("{registry} does not have the {what} ({answer})")]
    NotFound {
        what: String,
        registry: String,
        answer: Box<Answer>,
    },
    #[error("{registry} wants credentials for the {what}, and there are none ({answer})")]
    CredentialsMissing {
        what: String,
        registry: String,
        answer: Box<Answer>,
    },
    #[error("{registry} refused the credentials of {user} ({answer})")]
    CredentialsRefused {
        registry: String,
        user: String,
        answer: Box<Answer>,
    },
    #[error("{registry} does not allow {user} access to the {what} ({answer})")]
    Forbidden {
        what: String,
        registry: String,
        user: String,
        answer: Box<Answer>,
    },
    #[error("the token service {realm} that {registry} names was not asked: {reason}")]
    RealmRefused {
        registry: String,
        realm: String,
        reason: &'static str,
    },
    #[error("{registry} asks for a kind of authentication that is not supported: {challenge}")]
    Challenge { registry: String, challenge: String },
    #[error("the token service {url} gave no usable token: {reason}")]
    TokenAnswer { url: String, reason: &'static str },
    #[error("credentials for {registry} cannot be read from {path}")]
    CredentialFile {
        registry: String,
        path: PathBuf,
        source: io::Error,
    },
    #[error("credentials for {registry} cannot be taken from {path}: {reason}")]
    CredentialEntry {
        registry: String,
        path: PathBuf,
        reason: String,
    },
    #[error("the helper that {path} names for credentials for {registry} is of no use")]
    CredentialHelper {
        registry: String,
        path: PathBuf,
        source: CredentialHelperError,
    },

    #[error("{registry} failed on the {what} ({answer})")]
    Refused {
        what: String,
        registry: String,
        answer: Box<Answer>,
    },
    #[error("{registry} is not answering at {address}")]
    Unreachable {
        registry: String,
        address: String,
        source: reqwest::Error,
    },
    #[error("no secure connection to {registry} at {address}")]
    Tls {
        registry: String,
        address: String,
        source: reqwest::Error,
    },
    #[error("the request for the {what} to {address} failed")]
    Interrupted {
        what: String,
        address: String,
        source: reqwest::Error,
    },
    #[error("the upload of the {what} to {address} made no progress for {seconds} seconds")]
    Stalled {
        what: String,
        address: String,
        seconds: u64,
    },
    #[error("a redirect of {address} for the {what} was not followed")]
    Redirect {
        what: String,
        address: String,
        source: reqwest::Error,
    },
    #[error("{registry} named no usable place for the upload of the {what}: {reason}")]
    Location {
        what: String,
        registry: String,
        reason: String,
    },
    #[error("{registry} ignored the byte range of the {what} ({reason})")]
    RangeIgnored {
        what: String,
        registry: String,
        reason: String,
    },
    #[error("bytes {start} to {end} are not within the {size} bytes of the {what}")]
    RangeOutside {
        what: String,
        start: u64,
        end: u64,
        size: u64,
    },

    #[error("the {what} is malformed: {reason}")]
    Malformed { what: String, reason: String },
    #[error("the {what} is malformed")]
    Json {
        what: String,
        source: serde_json::Error,
    },
    #[error("the {what} is larger than the {limit} bytes that are read of it")]
    TooLarge { what: String, limit: u64 },
    #[error("the {what} is not what was asked for")]
    NotVerified { what: String, source: VerifyError },
    #[error("the {what} was announced with {announced}, and is {actual}")]
    Contradiction {
        what: String,
        announced: String,
        actual: String,
    },
    #[error("{registry} took the {what}, but holds {actual} where {expected} was sent")]
    StoredDifferently {
        what: String,
        registry: String,
        expected: String,
        actual: String,
    },
    #[error("{reference} is a WebAssembly component ({media_type}), not a provider archive")]
    Component {
        reference: String,
        media_type: String,
    },
    #[error(
        "{reference} is not a provider archive: its config is `{config}`, its layers are {layers}"
    )]
    UnsupportedArtifact {
        reference: String,
        config: String,
        layers: String,
    },
    #[error("the image index has no manifest for {wanted}; it has {available}")]
    NoPlatform { wanted: String, available: String },
    #[error(
        "{reference} already stands for {existing} and may not be moved to {wanted} ({answer})"
    )]
    TagImmutable {
        reference: String,
        existing: Digest,
        wanted: Digest,
        answer: Box<Answer>,
    },

    #[error("{directory} is not an OCI image layout: {reason}")]
    NotALayout {
        directory: PathBuf,
        reason: &'static str,
    },
    #[error("{directory} does not hold the {what}")]
    NotInLayout { directory: PathBuf, what: String },
    #[error("cannot use {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("the {what} could not be read for the transfer")]
    SourceFailed { what: String, source: io::Error },
    #[error("the {what} changed while it was transferred")]
    SourceChanged { what: String, source: VerifyError },
    #[error(transparent)]
    Source(#[from] StoreError),
    #[error("the certificate authorities in {path} cannot be used: {reason}")]
    CertificateAuthority { path: PathBuf, reason: String },
    #[error("the HTTP client cannot be set up")]
    Client { source: reqwest::Error },
    #[error("a background task was cancelled")]
    Cancelled { source: tokio::task::JoinError },
}

impl Error {
    /// What a caller can decide on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Reference(_) | Self::Name { .. } | Self::RangeOutside { .. } => ErrorKind::Usage,
            Self::NotFound { .. }
            | Self::NoPlatform { .. }
            | Self::NotALayout { .. }
            | Self::NotInLayout { .. } => ErrorKind::NotFound,
            Self::CredentialsMissing { .. }
            | Self::CredentialsRefused { .. }
            | Self::Forbidden { .. }
            | Self::RealmRefused { .. }
            | Self::Challenge { .. }
            | Self::CredentialFile { .. }
            | Self::CredentialEntry { .. }
            | Self::CredentialHelper { .. } => ErrorKind::Denied,
            Self::Refused { answer, .. } => match answer.status {
                408 | 429 | 500..=599 => ErrorKind::Unavailable,
                // A registry or a repository that is read-only.
                405 => ErrorKind::Denied,
                409 | 412 => ErrorKind::Conflict,
                _ => ErrorKind::Other,
            },
            Self::Unreachable { .. }
            | Self::Tls { .. }
            | Self::Interrupted { .. }
            | Self::Stalled { .. }
            | Self::TokenAnswer { .. } => ErrorKind::Unavailable,
            Self::Malformed { .. }
            | Self::Json { .. }
            | Self::TooLarge { .. }
            | Self::NotVerified { .. }
            | Self::Contradiction { .. }
            | Self::StoredDifferently { .. }
            | Self::RangeIgnored { .. }
            | Self::SourceChanged { .. }
            | Self::Component { .. }
            | Self::UnsupportedArtifact { .. } => ErrorKind::NotVerified,
            Self::TagImmutable { .. } => ErrorKind::Conflict,
            Self::File { source, .. } | Self::SourceFailed { source, .. } => {
                ErrorKind::of_io(source)
            }
            Self::CertificateAuthority { .. } => ErrorKind::Usage,
            Self::Source(error) => error.kind(),
            Self::Redirect { .. }
            | Self::Location { .. }
            | Self::Client { .. }
            | Self::Cancelled { .. } => ErrorKind::Other,
        }
    }

    /// What to do about it, when there is something to say that the message does not.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::CredentialsMissing { registry, .. } => Some(format!(
                "run `par login {registry}`, or give --user and --password; a repository that does \
                 not exist answers the same way"
            )),
            Self::CredentialsRefused { registry, .. } => Some(format!(
                "check user and password; what `par login {registry}` or `docker login` stored may \
                 have expired"
            )),
            Self::Forbidden { .. } => {
                Some("the account needs permission for this repository".to_owned())
            }
            Self::NotFound { .. } => Some("check the repository and the tag".to_owned()),
            Self::Unreachable { registry, .. } => Some(format!(
                "check that {registry} is right and running, and your network"
            )),
            Self::Tls { .. } => Some(
                "a registry with its own certificate authority needs --ca, one that speaks plain \
                 HTTP --insecure; a certificate that is its own authority (CaUsedAsEndEntity) has \
                 to be replaced by one that an authority issued"
                    .to_owned(),
            ),
            Self::RealmRefused { .. } => Some(
                "credentials stay within the registry's own domain; ask who runs the registry why \
                 it names this token service"
                    .to_owned(),
            ),
            Self::CredentialEntry { registry, .. } => Some(format!(
                "run `par login {registry}` again, repair the file, or give --user and --password"
            )),
            Self::CredentialHelper { .. } => Some(
                "make it work, take it out of `credsStore` and `credHelpers` in the file, or give \
                 --user and --password"
                    .to_owned(),
            ),
            Self::Component { .. } => Some("use `wkg oci` for WebAssembly components".to_owned()),
            Self::UnsupportedArtifact { .. } => Some(
                "check the reference: a provider archive is pushed with `par push` or `wash push`"
                    .to_owned(),
            ),
            Self::TagImmutable { .. } => {
                Some("push under a new tag, or refer to what is there by its digest".to_owned())
            }
            Self::StoredDifferently { .. } => {
                Some("do not deploy it; push again, or check the registry's storage".to_owned())
            }
            Self::Refused { answer, .. } if answer.status == 429 => {
                Some("the registry limits the rate of requests: wait, or log in".to_owned())
            }
            Self::Client { .. } => Some(
                "TLS needs certificate authorities: install the system's `ca-certificates`, or \
                 give --ca"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            // The other store's error speaks for itself.
            Error::Source(inner) => inner,
            error => Self::new(error.kind(), error),
        }
    }
}

/// Text from outside on one line, without control characters, cut to 300 characters: fit for an error
/// message, a log and a terminal.
pub(super) fn one_line(text: &str) -> String {
    const LIMIT: usize = 300;
    let head: String = text.chars().take(8 * LIMIT).collect();
    let words: Vec<&str> = head
        .split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_becomes_one_printable_line() {
        assert_eq!(one_line("a\r\n\u{1b}[31mred\0 b"), "a [31mred b");
        assert_eq!(one_line(&"x".repeat(5000)).chars().count(), 301);
    }

    #[test]
    fn an_error_names_registry_content_and_answer() {
        let error = Error::NotFound {
            what: "manifest 1.0 of ghcr.io/org/provider".to_owned(),
            registry: "ghcr.io".to_owned(),
            answer: Box::new(Answer {
                status: 404,
                code: Some("MANIFEST_UNKNOWN".to_owned()),
                message: None,
            }),
        };
        assert_eq!(
            error.to_string(),
            "ghcr.io does not have the manifest 1.0 of ghcr.io/org/provider \
             (HTTP 404, MANIFEST_UNKNOWN)"
        );
        assert_eq!(StoreError::from(error).kind(), ErrorKind::NotFound);
    }
}
