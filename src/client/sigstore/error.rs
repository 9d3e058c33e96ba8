//! The reasons why a bundle does not verify, and why a trusted root cannot be used.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::content::{Digest, ErrorKind, rfc3339, unix_seconds};

use super::root::SigstoreRoot;

/// The error of the library that verifies bundles.
pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// The reason why a Sigstore bundle does not vouch for a manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bundle is larger than the limit.
    #[error("it has {size} bytes; at most {limit} are read")]
    TooLarge {
        /// The size in bytes, according to the manifest of the bundle.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The manifest or the bundle is malformed.
    #[error("it cannot be read")]
    Malformed(#[source] Cause),
    /// The bundle is well formed, but of an unsupported kind. The field gives the reason.
    #[error("it is not supported: {0}")]
    Unsupported(String),
    /// The subject of the bundle's manifest is another manifest, or it has no subject. The field is the digest of its
    /// subject.
    #[error("it refers to {}", other(_0.as_ref()))]
    OtherManifest(Option<Digest>),
    /// The statement in the bundle is about other content.
    #[error("its statement is about other content")]
    OtherSubject,
    /// The signature does not fit the statement and the certificate.
    #[error("its signature is wrong")]
    WrongSignature(#[source] Cause),
    /// The certificate was not issued by an authority of the trusted root.
    #[error("its certificate was not issued by an authority of the trusted root {root}, {}", age(*newest))]
    UnknownAuthority {
        /// The trusted root.
        root: SigstoreRoot,
        /// When the newest key in the trusted root became valid. An outdated root does not know newer authorities.
        newest: Option<SystemTime>,
        /// What is wrong with the certificate.
        source: Cause,
    },
    /// Nothing proves that the certificate is in a certificate transparency log of the trusted root.
    #[error("its certificate is in no log of certificates of the trusted root")]
    UnloggedCertificate(#[source] Cause),
    /// The certificate became valid only after the statement was signed.
    #[error("its certificate was not valid yet at the time of the signature, {}", time(*signed))]
    NotYetValid {
        /// When the statement was signed.
        signed: SystemTime,
    },
    /// The certificate had expired before the statement was signed.
    #[error("its certificate had expired at the time of the signature, {}", time(*signed))]
    Expired {
        /// When the statement was signed.
        signed: SystemTime,
    },
    /// The bundle has no proof that its signature is in the transparency log.
    #[error("nothing proves that it is in the transparency log")]
    NoInclusionProof,
    /// The proof that the signature is in the transparency log is wrong.
    #[error("its proof of being in the transparency log is wrong")]
    WrongInclusionProof(#[source] Cause),
    /// The transparency log is not one of the trusted root, or its signature is missing or wrong.
    #[error("its transparency log is not one of the trusted root {root}, {}", age(*newest))]
    UnknownLog {
        /// The trusted root.
        root: SigstoreRoot,
        /// When the newest key in the trusted root became valid. An outdated root does not know newer logs.
        newest: Option<SystemTime>,
        /// What is wrong.
        source: Cause,
    },
    /// The entry in the transparency log is about another signature.
    #[error("its entry in the transparency log is about something else")]
    OtherLogEntry(#[source] Cause),
    /// The bundle has no signed timestamp, or its timestamp does not verify.
    #[error("no authority of the trusted root {root}, {}, says when it was signed", age(*newest))]
    WrongTimestamp {
        /// The trusted root.
        root: SigstoreRoot,
        /// When the newest key in the trusted root became valid. An outdated root does not know newer authorities.
        newest: Option<SystemTime>,
        /// What is wrong with the timestamp.
        source: Cause,
    },
    /// The time of the signature is later than the clock of this machine.
    #[error("it was signed at {}, which is in the future by the clock of this machine", time(*signed))]
    InFuture {
        /// When the statement was signed.
        signed: SystemTime,
    },
    /// The identity is not one that the policy allows.
    #[error("it was signed by {}, an identity of {}", subject.escape_debug(), issuer.escape_debug())]
    OtherIdentity {
        /// The URL of the OpenID Connect issuer.
        issuer: String,
        /// The identity in the certificate.
        subject: String,
    },
    /// The predicate of the statement does not have the type that the policy demands.
    #[error("its statement is of the type {}", predicate.escape_debug())]
    OtherPredicate {
        /// The type of the predicate.
        predicate: String,
    },
}

/// Why the trusted root of a Sigstore instance cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedRootError {
    /// The file cannot be read.
    #[error("cannot read the trusted root {}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The trusted root is malformed.
    #[error("the trusted root {root} cannot be used")]
    Malformed {
        /// The trusted root.
        root: SigstoreRoot,
        /// What is wrong with it.
        source: Cause,
    },
}

impl TrustedRootError {
    /// Returns the kind of the error, for callers that decide by it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { source, .. } => ErrorKind::of_io(source),
            Self::Malformed { .. } => ErrorKind::Usage,
        }
    }
}

fn time(time: SystemTime) -> String {
    rfc3339(unix_seconds(time))
}

fn age(newest: Option<SystemTime>) -> String {
    newest.map_or_else(
        || "whose keys have no dates".to_owned(),
        |newest| format!("whose newest key is of {}", time(newest)),
    )
}

fn other(digest: Option<&Digest>) -> String {
    digest.map_or_else(|| "no manifest".to_owned(), ToString::to_string)
}
