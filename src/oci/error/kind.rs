//! What can be done about an error: its kind for programs, and a hint for people.

use crate::content::ErrorKind;

use super::{Error, TlsProblem};

impl Error {
    /// Returns the kind of this error, which tells a program how to react.
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
            | Self::SourceFailed { source, .. }
            | Self::HostsFolder { source, .. } => ErrorKind::of_io(source),
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
                "run `par login {registry}` again, repair the file, or give --user and --password"
            )),
            Self::CredentialHelper { .. } => Some(
                "make it work, take it out of `credsStore` and `credHelpers` in the file, or give \
                 --user and --password"
                    .to_owned(),
            ),
            Self::GaveUp { last, .. } => last.hint(),
            Self::NoMirrorEither { .. } => Some(
                "`par doctor` asks the registry and each of its mirrors what is wrong; what a mirror \
                 lacks can be pushed to it"
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
            Self::Refused { answer, .. } if answer.status == 405 => Some(
                "the registry does not allow it: many allow deleting only when they are told to, and \
                 one that is read-only allows no change"
                    .to_owned(),
            ),
            Self::HostsFolder { .. } => Some(
                "name a folder such as `certs.d` of containerd with --hosts-dir or PAR_HOSTS_DIR"
                    .to_owned(),
            ),
            Self::Client { .. } => Some(
                "TLS needs certificate authorities: install the system's `ca-certificates`, or \
                 give --ca"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
