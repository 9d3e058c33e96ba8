//! The kind of an error, for programs.

use crate::content::ErrorKind;

use super::{Error, TlsProblem};

impl Error {
    /// Returns the kind of this error, which tells a program how to react.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Reference(_)
            | Self::Name { .. }
            | Self::RangeOutside { .. }
            | Self::NewLayout { .. }
            | Self::Ambiguous { .. } => ErrorKind::Usage,
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
            | Self::CredentialEntry { .. }
            | Self::CredentialHelper { .. } => ErrorKind::Denied,
            Self::Refused { answer, .. } => match answer.status {
                _ if answer.code.as_deref() == Some("DIGEST_INVALID") => ErrorKind::NotVerified,
                // The 401 and 403 of a registry have their own variants. These come from storage to which
                // the registry redirects, with URLs that expire.
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
            | Self::SecondHand { .. }
            | Self::SourceChanged { .. }
            | Self::Component { .. }
            | Self::UnsupportedArtifact { .. } => ErrorKind::NotVerified,
            Self::TagImmutable { .. } => ErrorKind::Conflict,
            Self::File { source, .. }
            | Self::CredentialFile { source, .. }
            | Self::SourceFailed { source, .. }
            | Self::HostsDirectory { source, .. } => ErrorKind::of_io(source),
            Self::CertificateAuthority { .. }
            | Self::ClientCertificate { .. }
            | Self::HostsFile { .. }
            | Self::NoHost { .. } => ErrorKind::Usage,
            Self::Source(error) => error.kind(),
            Self::GaveUp { last, .. } | Self::NoMirrorEither { last, .. } => last.kind(),
            Self::Redirect { .. }
            | Self::Location { .. }
            | Self::Client { .. }
            | Self::Cancelled { .. } => ErrorKind::Other,
        }
    }
}
