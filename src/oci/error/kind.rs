//! The kind of an error, for programs.

use crate::content::ErrorKind;

use super::{Error, UploadProblem};

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
            | Self::IdentityTokenRefused { .. }
            | Self::IdentityTokenUnsupported { .. }
            | Self::RedirectDenied { .. }
            | Self::Forbidden { .. }
            | Self::RealmRefused { .. }
            | Self::Challenge { .. }
            | Self::CredentialEntry { .. }
            | Self::CredentialHelper { .. }
            | Self::CredentialProvider { .. }
            | Self::Upload {
                problem: UploadProblem::NoRepository { .. },
                ..
            } => ErrorKind::Denied,
            Self::Refused { answer, .. } => match answer.status {
                _ if answer.code.as_deref() == Some("DIGEST_INVALID") => ErrorKind::NotVerified,
                // The statuses 401 and 403 of a registry have their own variants. Here they come from storage to which
                // the registry redirects with URLs that expire.
                401 | 403 => ErrorKind::Unavailable,
                status if may_pass(status) => ErrorKind::Unavailable,
                // The registry or the repository is read-only.
                405 => ErrorKind::Denied,
                409 | 412 => ErrorKind::Conflict,
                _ => ErrorKind::Other,
            },
            Self::TokenService { answer, .. } if may_pass(answer.status) => ErrorKind::Unavailable,
            Self::Tls { problem, .. } => problem.kind(),
            Self::Proxy(error) => error.kind(),
            Self::Unreachable { .. } | Self::Interrupted { .. } | Self::Stalled { .. } => {
                ErrorKind::Unavailable
            }
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
            | Self::Encoded { .. }
            | Self::UnsupportedManifest { .. }
            | Self::UnsupportedArtifact { .. } => ErrorKind::NotVerified,
            Self::TagImmutable { .. } => ErrorKind::Conflict,
            Self::File { source, .. }
            | Self::CredentialFile { source, .. }
            | Self::CredentialsNotStored { source, .. }
            | Self::SourceFailed { source, .. }
            | Self::HostsDirectory { source, .. } => ErrorKind::of_io(source),
            Self::CertificateAuthority { .. }
            | Self::ClientCertificate { .. }
            | Self::HostsFile { .. }
            | Self::NoAuthorities { .. }
            | Self::PlainHttp { .. }
            | Self::NoHost { .. } => ErrorKind::Usage,
            Self::Source(error) => error.kind(),
            Self::GaveUp { last, .. } | Self::NoMirrorEither { last, .. } => last.kind(),
            Self::TokenService { .. }
            | Self::TokenAnswer { .. }
            | Self::Upload { .. }
            | Self::Redirect { .. }
            | Self::Location { .. }
            | Self::Client { .. }
            | Self::Cancelled { .. } => ErrorKind::Other,
        }
    }

    /// Returns the original error. When the request was repeated, or other hosts were asked, it is the error of the
    /// last attempt.
    #[must_use]
    pub fn root(&self) -> &Self {
        match self {
            Self::GaveUp { last, .. } | Self::NoMirrorEither { last, .. } => last.root(),
            _ => self,
        }
    }

    /// Returns whether the registry gives no usable answer now, so that a mirror or the cache may be used instead.
    /// Trying again may not help.
    pub(crate) fn is_out_of_reach(&self) -> bool {
        match self {
            Self::Tls { .. }
            | Self::NoAuthorities { .. }
            | Self::Proxy(_)
            | Self::PlainHttp { .. }
            | Self::TokenAnswer { .. }
            | Self::TokenService { .. } => true,
            Self::GaveUp { last, .. } | Self::NoMirrorEither { last, .. } => last.is_out_of_reach(),
            _ => self.kind() == ErrorKind::Unavailable,
        }
    }
}

/// Returns whether a request that was refused with this HTTP status may succeed later without a change. Such a request is
/// repeated, and its error is [`ErrorKind::Unavailable`].
///
/// It may not succeed later when the server does not implement it (501, 505), cannot store the content (507), or when the
/// network demands a login (511). 499 is the answer of a server that has cancelled the work itself: the transparency log of
/// Sigstore cancels a batch of entries when the client of one of them goes away. The statuses from 520 on come from content
/// delivery networks that do not reach the server.
pub(in crate::oci) fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 499 | 500 | 502..=504 | 520..=599)
}
