//! What can go wrong between here and a registry or a layout.

use std::io;
use std::path::{Path, PathBuf};

use crate::content::{Digest, ErrorKind, StoreError, VerifyError};

use super::reference::ParseReferenceError;

pub use super::answer::Answer;
pub(super) use super::one_line::one_line;
pub use super::tls_problem::TlsProblem;

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
    #[error("there is no registry at {address}: {reason}")]
    NotARegistry { address: String, reason: String },
    #[error("no secure connection to {registry} at {address}: {problem}")]
    Tls {
        registry: String,
        address: String,
        problem: TlsProblem,
        source: reqwest::Error,
    },
    #[error("{registry} speaks TLS at {address}, and was asked in plain HTTP")]
    PlainHttp { registry: String, address: String },
    #[error("the request for the {what} to {address} failed")]
    Interrupted {
        what: String,
        address: String,
        source: reqwest::Error,
    },
    #[error("the transfer of the {what} with {address} made no progress for {seconds} seconds")]
    Stalled {
        what: String,
        address: String,
        seconds: u64,
    },
    #[error("gave up after {attempts} attempts in {seconds} seconds without progress")]
    GaveUp {
        attempts: u32,
        seconds: u64,
        #[source]
        last: Box<Error>,
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
    #[error("the client certificate in {path} cannot be used: {reason}")]
    ClientCertificate { path: PathBuf, reason: String },
    #[error("{path}, line {line}: {reason}")]
    HostsFile {
        path: PathBuf,
        line: usize,
        reason: String,
    },
    #[error(
        "none of the hosts that hosts.toml names for {registry} has the capability `{capability}`"
    )]
    NoHost {
        registry: String,
        capability: &'static str,
    },
    #[error("the HTTP client cannot be set up")]
    Client { source: reqwest::Error },
    #[error("a background task was cancelled")]
    Cancelled { source: tokio::task::JoinError },
}

impl Error {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// What a caller can decide on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Reference(_) | Self::Name { .. } | Self::RangeOutside { .. } => ErrorKind::Usage,
            Self::NotFound { .. }
            | Self::NotARegistry { .. }
            | Self::NoPlatform { .. }
            | Self::NotALayout { .. }
            | Self::NotInLayout { .. } => ErrorKind::NotFound,
            Self::CredentialsMissing { .. }
            | Self::CredentialsRefused { .. }
            | Self::Forbidden { .. }
            | Self::RealmRefused { .. }
            | Self::Challenge { .. }
            | Self::CredentialFile { .. }
            | Self::CredentialEntry { .. } => ErrorKind::Denied,
            Self::Refused { answer, .. } => match answer.status {
                _ if answer.code.as_deref() == Some("DIGEST_INVALID") => ErrorKind::NotVerified,
                // The registry's own 401 and 403 are other errors: these are from storage that it
                // redirects to, and whose addresses expire.
                401 | 403 | 408 | 429 | 500..=599 => ErrorKind::Unavailable,
                // A registry or a repository that is read-only.
                405 => ErrorKind::Denied,
                409 | 412 => ErrorKind::Conflict,
                _ => ErrorKind::Other,
            },
            Self::Tls {
                problem: TlsProblem::ClientCertificate,
                ..
            } => ErrorKind::Denied,
            Self::Unreachable { .. }
            | Self::Tls { .. }
            | Self::PlainHttp { .. }
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
            Self::CertificateAuthority { .. }
            | Self::ClientCertificate { .. }
            | Self::HostsFile { .. }
            | Self::NoHost { .. } => ErrorKind::Usage,
            Self::Source(error) => error.kind(),
            Self::GaveUp { last, .. } => last.kind(),
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
                "give --user and --password, or run `docker login {registry}`; a repository that \
                 does not exist answers the same way"
            )),
            Self::CredentialsRefused { registry, .. } => Some(format!(
                "check user and password; what `docker login {registry}` stored may have expired"
            )),
            Self::Forbidden { .. } => {
                Some("the account needs permission for this repository".to_owned())
            }
            Self::NotFound { .. } => Some("check the repository and the tag".to_owned()),
            Self::NotARegistry { .. } => {
                Some("check the name and the port: the API of a registry begins at /v2/".to_owned())
            }
            Self::Unreachable { registry, .. } => Some(format!(
                "check that {registry} is right and running, and your network"
            )),
            Self::Tls { problem, .. } => Some(problem.hint().to_owned()),
            Self::PlainHttp { .. } => Some(
                "leave out --insecure; a registry on this machine is asked over TLS when one of \
                 --ca, --client-cert and --insecure-skip-tls-verify is given, or when hosts.toml \
                 says so"
                    .to_owned(),
            ),
            Self::RealmRefused { .. } => Some(
                "credentials stay within the registry's own domain; ask who runs the registry why \
                 it names this token service"
                    .to_owned(),
            ),
            Self::CredentialEntry { registry, .. } => Some(format!(
                "run `docker login {registry}` again, repair the file, or give --user and --password"
            )),
            Self::GaveUp { last, .. } => last.hint(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_registry_content_and_answer() {
        let error = Error::NotFound {
            what: "manifest 1.0 of ghcr.io/org/provider".to_owned(),
            registry: "ghcr.io".to_owned(),
            answer: Box::new(Answer {
                status: 404,
                code: Some("MANIFEST_UNKNOWN".to_owned()),
                message: None,
                retry_after: None,
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
