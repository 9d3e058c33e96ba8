//! Hints for connections that cannot be secured.

use crate::oci::TlsProblem;

/// Returns what the user can do about a problem with TLS.
pub(super) fn tls_hint(problem: TlsProblem) -> &'static str {
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
