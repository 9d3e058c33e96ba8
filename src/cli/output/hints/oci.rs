//! Hints for errors of registries and image layouts.

use crate::oci::{Error, ParseReferenceError, TlsProblem};

use super::archive::file_hint;

/// Returns what the user can do about an error of the OCI layer.
pub(crate) fn oci_hint(error: &Error) -> Option<String> {
    let hint = match error {
        Error::GaveUp { last, .. } => return oci_hint(last),
        Error::Reference(error) => return reference_hint(error),
        Error::CredentialsMissing { registry, .. } => {
            return Some(format!(
                "run `par login {registry}`, or give --user and --password; check the name of the \
                 repository too: one that does not exist answers the same way"
            ));
        }
        Error::CredentialsRefused { registry, .. } => {
            return Some(format!(
                "check user and password; what `par login {registry}` or `docker login` stored may have \
                 expired"
            ));
        }
        Error::CredentialEntry { registry, .. } => {
            return Some(format!(
                "run `par login {registry}` again, repair the file, or give --user and --password"
            ));
        }
        Error::Unreachable { registry, .. } => {
            return Some(format!(
                "check that {registry} is right and running, and your network"
            ));
        }
        Error::CredentialHelper { .. } => {
            "repair the helper, remove it from `credsStore` and `credHelpers` in the file, or give --user \
             and --password"
        }
        Error::Forbidden { .. } => "ask for permission for this repository, or use another account",
        Error::RealmRefused { .. } => {
            "ask the operator of the registry why it names this token service: credentials are only sent \
             within the registry's own domain"
        }
        Error::NotFound { what, .. } => match what.as_str() {
            what if what.starts_with("list of tags") => "check the name of the repository",
            what if what.contains("sha256:") || what.contains("sha512:") => {
                "check the repository and the digest"
            }
            _ => "check the repository and the tag",
        },
        Error::Ambiguous { directory, .. } => {
            return Some(format!(
                "name one by its digest: oci-layout://{}@sha256:…",
                directory.display()
            ));
        }
        Error::File { source, .. } | Error::CredentialFile { source, .. } => file_hint(source)?,
        Error::NotARegistry { .. } => {
            "check the name and the port: the API of a registry begins at /v2/"
        }
        Error::Tls { problem, .. } => tls_hint(*problem),
        Error::PlainHttp { .. } => {
            "leave out --insecure; a registry on this machine is asked over TLS when one of --ca, \
             --client-cert and --insecure-skip-tls-verify is given, or when hosts.toml says so"
        }
        Error::NoMirrorEither { .. } => {
            "run `par doctor` to find out what is wrong with the registry and each of its mirrors, or push \
             what a mirror lacks to it"
        }
        Error::Component { .. } => "use `wkg oci` for WebAssembly components",
        Error::UnsupportedArtifact { .. } => {
            "check the reference: provider archives are pushed with `par push` or `wash push`"
        }
        Error::TagImmutable { .. } => {
            "push under a new tag, or refer to the existing manifest by its digest"
        }
        Error::StoredDifferently { .. } => {
            "do not deploy it; push again, or check the registry's storage"
        }
        Error::Refused { answer, .. } if answer.status == 429 => {
            "wait, or log in: the registry limits the rate of requests"
        }
        Error::Refused { answer, .. } if answer.status == 405 => {
            "ask the operator of the registry to allow this request"
        }
        Error::HostsDirectory { .. } => {
            "name a directory such as containerd's `certs.d` with --hosts-dir or PAR_HOSTS_DIR"
        }
        Error::Client { .. } => {
            "install the system's `ca-certificates`, or give --ca: TLS needs certificate authorities"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns what the user can do about a problem with TLS.
fn tls_hint(problem: TlsProblem) -> &'static str {
    match problem {
        TlsProblem::UnknownAuthority => {
            "give the certificate of its authority with --ca, or put it where --hosts-dir looks for it"
        }
        TlsProblem::Expired => {
            "renew the certificate of the registry, or check the clock of this machine"
        }
        TlsProblem::OtherName => {
            "use the name that the certificate is for, or have a certificate issued for this name"
        }
        TlsProblem::ClientCertificate => {
            "give a certificate that the registry accepts with --client-cert and --client-key, or in \
             hosts.toml"
        }
        TlsProblem::NoTls => "give --insecure if the registry speaks plain HTTP",
        _ => {
            "replace a certificate that is its own authority (CaUsedAsEndEntity) with one that an \
             authority issued"
        }
    }
}

/// Returns what the user can do about a malformed reference.
pub(crate) fn reference_hint(error: &ParseReferenceError) -> Option<String> {
    match error {
        ParseReferenceError::Scheme { scheme, .. } if scheme == "http://" => {
            Some("give --insecure if the registry speaks plain HTTP".to_owned())
        }
        ParseReferenceError::Tag { tag, .. } if tag.contains('+') => {
            let instead = tag.replace('+', "_");
            Some(format!(
                "write `_` in place of `+`, which no tag may have, as Helm does: {instead}"
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests/oci.rs"]
mod tests;
