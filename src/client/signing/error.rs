//! Why nothing was signed.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::client::sigstore::{BundleError, TrustedRootError};
use crate::content::{ErrorKind, RuntimeEnded, rfc3339, unix_seconds};
use crate::oci;

/// The noun for an answer of a certificate authority, with its article.
pub(super) const CERTIFICATE: &str = "a certificate";
/// The noun for an answer of the token service of a CI system, with its article.
pub(super) const TOKEN: &str = "an identity token";

/// The error of another library.
pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// Why nothing was signed with Sigstore. No text in it has the identity token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// There is no identity token, and the program does not run in a job of GitHub Actions or GitLab.
    #[error("there is no identity token to sign with")]
    NoToken,
    /// The job of GitHub Actions may not get identity tokens.
    #[error("this job of GitHub Actions gets no identity token to sign with")]
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
    /// A predicate is larger than what is signed.
    #[error("the predicate has more than {limit} bytes, which is the most that is signed")]
    PredicateTooLarge {
        /// The largest predicate that is signed, in bytes.
        limit: u64,
    },
    /// A predicate is larger than what is signed after the type `custom` has wrapped it: escape sequences can double it.
    #[error(
        "the predicate has {size} bytes as the text of the type `custom`; at most {limit} are signed"
    )]
    WrappedTooLarge {
        /// The size of the wrapped predicate in bytes.
        size: u64,
        /// The largest wrapped predicate that is signed, in bytes.
        limit: u64,
    },
    /// The type of a predicate is neither a URI nor a name that is known. The field is the type.
    #[error("`{0}` is neither the URI of a type of predicates nor the name of one")]
    PredicateType(String),
    /// The program does not run in a job of GitHub Actions or GitLab, so that nothing says how the content was built.
    #[error(
        "this is no job of GitHub Actions or GitLab, so nothing says how the manifest was made"
    )]
    NotInCi,
    /// The CI job does not say something that belongs to a provenance. The field is the variable.
    #[error("the CI job does not say in {0} how the manifest was made")]
    CiVariable(&'static str),
    /// The signing configuration cannot be read.
    #[error("cannot read the signing configuration {}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The signing configuration is malformed, or names no services that can be used.
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
    /// A service of the instance, or the one that gives tokens, does not answer, or refuses.
    #[error("cannot get {what} from {url}")]
    Service {
        /// What was asked for, such as "a certificate".
        what: &'static str,
        /// The URL of the service, without its query.
        url: String,
        /// The error of the service.
        source: oci::Error,
    },
    /// A service of the instance, or the one that gives tokens, answers with something else than what was asked for.
    #[error("{url} answered with something that is not {what}")]
    Answer {
        /// What was asked for, such as "a certificate".
        what: &'static str,
        /// The URL of the service, without its query.
        url: String,
        /// What is wrong with the answer.
        source: Cause,
    },
    /// What the instance has signed does not verify against the trusted root.
    #[error("what was signed does not verify, so it is not attached")]
    NotVerified(#[source] BundleError),
    /// No key could be made, or it could not sign.
    #[error("cannot make a key to sign with")]
    Key,
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
                // Nothing has a name that could be taken.
                ErrorKind::Conflict => ErrorKind::Other,
                kind => kind,
            },
            Self::Answer { .. } | Self::NotVerified(_) => ErrorKind::NotVerified,
            Self::Key | Self::Cancelled => ErrorKind::Other,
        }
    }

    /// Whether a service has refused the token, or the secret that gets one. A certificate authority answers with HTTP 400
    /// to a token that it does not accept.
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
