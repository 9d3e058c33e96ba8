//! The reasons why signing with Sigstore fails.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::client::sigstore::{BundleError, TrustedRootError};
use crate::content::{ErrorKind, RuntimeEnded, rfc3339, unix_seconds};
use crate::oci;

/// Names the answer of a certificate authority in messages.
pub(super) const CERTIFICATE: &str = "a certificate";
/// Names the answer of the token service of a CI system in messages.
pub(super) const TOKEN: &str = "an identity token";

/// The error of another library.
pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// The reason why signing with Sigstore failed. No message contains the identity token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// There is no identity token, and the program does not run in a job of GitHub Actions or GitLab.
    #[error("there is no identity token to sign with")]
    NoToken,
    /// The job of GitHub Actions may not get identity tokens.
    #[error("this job of GitHub Actions may not request an identity token to sign with")]
    NoGitHubToken,
    /// The job of GitLab has no identity token.
    #[error("this job of GitLab has no identity token to sign with in SIGSTORE_ID_TOKEN")]
    NoGitLabToken,
    /// The identity token is malformed. The field says how.
    #[error("the identity token cannot be used: {0}")]
    Token(&'static str),
    /// The identity token has expired.
    #[error("the identity token expired at {}", rfc3339(unix_seconds(*expired)))]
    TokenExpired {
        /// When it expired.
        expired: SystemTime,
    },
    /// A predicate is malformed. The field says how.
    #[error("the predicate cannot be signed: {0}")]
    Predicate(String),
    /// A predicate is larger than the limit.
    #[error("the predicate has more than {limit} bytes, which is the limit")]
    PredicateTooLarge {
        /// The largest predicate that is signed, in bytes.
        limit: u64,
    },
    /// A predicate is too large after the type `custom` has wrapped it: escape sequences can double its size.
    #[error(
        "the predicate has {size} bytes as the text of the type `custom`; at most {limit} are signed"
    )]
    WrappedTooLarge {
        /// The size of the wrapped predicate in bytes.
        size: u64,
        /// The largest wrapped predicate that is signed, in bytes.
        limit: u64,
    },
    /// The type of a predicate is neither a URI nor a known name. The field is the type.
    #[error("`{0}` is neither the URI of a type of predicates nor the name of one")]
    PredicateType(String),
    /// The program does not run in a job of GitHub Actions or GitLab, so the provenance of the content is unknown.
    #[error(
        "this is not a job of GitHub Actions or GitLab, so the provenance of the manifest is unknown"
    )]
    NotInCi,
    /// The CI job does not set a variable that the provenance needs, or its value is malformed. The field is the name of
    /// the variable.
    #[error("the provenance needs the variable {0}, which the CI job does not set correctly")]
    CiVariable(&'static str),
    /// The signing configuration cannot be read.
    #[error("cannot read the signing configuration {}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The signing configuration is malformed, or it names no usable service.
    #[error("the signing configuration {place} cannot be used")]
    Configuration {
        /// The path of the file, or `public`.
        place: String,
        /// What is wrong with it.
        source: Cause,
    },
    /// The trusted root of the instance cannot be used.
    #[error(transparent)]
    TrustedRoot(#[from] TrustedRootError),
    /// A service of the instance, or the token service of the CI system, does not answer, or it refuses the request.
    #[error("cannot get {what} from {url}")]
    Service {
        /// The name of the expected answer, such as "a certificate".
        what: &'static str,
        /// The URL of the service, without its query.
        url: String,
        /// The error of the service.
        source: oci::Error,
    },
    /// A service of the instance, or the token service of the CI system, sends an answer that is malformed.
    #[error("{url} answered with something that is not {what}")]
    Answer {
        /// The name of the expected answer, such as "a certificate".
        what: &'static str,
        /// The URL of the service, without its query.
        url: String,
        /// What is wrong with the answer.
        source: Cause,
    },
    /// The new bundle does not verify against the trusted root, so it is not attached.
    #[error("what was signed does not verify, so it is not attached")]
    NotVerified(#[source] BundleError),
    /// Generating a key, or signing with it, failed.
    #[error("cannot make a key to sign with")]
    Key,
    /// A statement, an entry for the transparency log or a bundle cannot be encoded.
    #[error("cannot encode {what} in JSON")]
    Encode {
        /// The name of the content, such as "the statement".
        what: &'static str,
        /// The error of the encoder.
        source: Cause,
    },
    /// The work was cancelled: the runtime is shutting down.
    #[error("the work was cancelled")]
    Cancelled,
    /// The program is built without the feature `sigstore`.
    #[error("this program is built without the feature `sigstore`, so it cannot sign")]
    NotBuilt,
}

impl SigningError {
    /// Returns the kind of the error, for callers that decide by it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoToken
            | Self::NoGitHubToken
            | Self::NoGitLabToken
            | Self::Token(_)
            | Self::TokenExpired { .. } => ErrorKind::Denied,
            Self::Predicate(_)
            | Self::PredicateTooLarge { .. }
            | Self::WrappedTooLarge { .. }
            | Self::PredicateType(_)
            | Self::NotInCi
            | Self::CiVariable(_)
            | Self::Configuration { .. }
            | Self::NotBuilt => ErrorKind::Usage,
            Self::File { source, .. } => ErrorKind::of_io(source),
            Self::TrustedRoot(error) => error.kind(),
            Self::Service { .. } if self.is_about_token() => ErrorKind::Denied,
            Self::Service { source, .. } => match source.kind() {
                // A conflict means that a name is taken. Services have no such names.
                ErrorKind::Conflict => ErrorKind::Other,
                kind => kind,
            },
            Self::Answer { .. } | Self::NotVerified(_) => ErrorKind::NotVerified,
            Self::Key | Self::Encode { .. } | Self::Cancelled => ErrorKind::Other,
        }
    }

    /// Whether a service has refused the identity token, or the secret that a job of GitHub Actions gets tokens with. A
    /// certificate authority answers with HTTP 400 to a token that it does not accept.
    pub(crate) fn is_about_token(&self) -> bool {
        let Self::Service {
            what: CERTIFICATE | TOKEN,
            source: oci::Error::Refused { answer, .. },
            ..
        } = self
        else {
            return false;
        };
        matches!(answer.status, 400 | 401 | 403)
    }
}

impl From<RuntimeEnded> for SigningError {
    fn from(_: RuntimeEnded) -> Self {
        Self::Cancelled
    }
}
