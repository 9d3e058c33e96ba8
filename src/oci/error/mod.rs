//! What can go wrong between here and a registry or a layout.

mod advice;

use std::io;
use std::path::{Path, PathBuf};

use crate::content::{Digest, StoreError, VerifyError};

use super::credentials::CredentialHelperError;
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
    #[error("no mirror could help ({mirrors}), and the registry itself is unavailable")]
    NoMirrorEither {
        mirrors: String,
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
    #[error("the {what} comes from {from}, and not from {registry} itself")]
    SecondHand {
        what: String,
        registry: String,
        from: String,
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
    #[error("cannot use {path} as the folder that says how registries are reached")]
    HostsFolder { path: PathBuf, source: io::Error },
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
    Client {
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("a background task was cancelled")]
    Cancelled { source: tokio::task::JoinError },
}

impl Error {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
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
    use crate::content::ErrorKind;

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
