//! The refusals of a lock, and problems with a lock file.

use std::io;
use std::path::PathBuf;

use crate::content::{Digest, ErrorKind};

use super::super::sigstore::BundleError;
use super::super::toml_problem::kind_of_text;
use super::super::trust::{revision_text, said};

/// A refusal of a [`Lock`](super::Lock), or a problem with a lock file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The lock has no entry for a reference.
    #[error("{reference} is not in the lock file")]
    NotLocked {
        /// The reference.
        reference: String,
    },
    /// The issuer or the subject of an archive is not the locked one.
    #[error("{reference} has the {role} {actual}, and is locked with {locked}")]
    OtherPublisher {
        /// The reference.
        reference: String,
        /// `issuer` or `subject`.
        role: &'static str,
        /// The locked public key.
        locked: String,
        /// The public key of the archive.
        actual: String,
    },
    /// The revision of an archive is not the locked one.
    #[error("{reference} has {}, and is locked with revision {locked}", revision_text(*actual))]
    OtherRevision {
        /// The reference.
        reference: String,
        /// The locked revision.
        locked: i32,
        /// The revision of the archive. `None`: it has none.
        actual: Option<i32>,
    },
    /// The Sigstore identity that vouches for a manifest is not the locked one.
    #[error("{reference} is signed by {actual}, and is locked with the identity {locked}")]
    OtherIdentity {
        /// The reference.
        reference: String,
        /// The locked identity.
        locked: String,
        /// The identity that vouches for the manifest.
        actual: String,
    },
    /// The locked Sigstore identity does not vouch for a manifest.
    #[error("{reference} is locked with the identity {locked}, and {}", missing(refusals, *unread))]
    IdentityMissing {
        /// The reference.
        reference: String,
        /// The locked identity.
        locked: String,
        /// The digest of the manifest of each bundle, and why it does not count.
        refusals: Vec<(Digest, BundleError)>,
        /// How many further bundles were not read.
        unread: usize,
    },
    /// The locked Sigstore identity is not one that the trust policy allows.
    #[error(
        "{reference} is locked with the identity {locked}, which the trust policy does not allow"
    )]
    IdentityNotAllowed {
        /// The reference.
        reference: String,
        /// The locked identity.
        locked: String,
    },
    /// The locked Sigstore identity belongs to an instance whose trusted root is unknown, because no rule of the trust policy
    /// names it.
    #[error(
        "{reference} is locked with the identity {locked}, and the trust policy names no trusted root for it"
    )]
    NoTrustedRoot {
        /// The reference.
        reference: String,
        /// The locked identity.
        locked: String,
    },
    /// The lock demands a Sigstore identity, and the program is built without the feature `sigstore`. The field is the
    /// reference.
    #[error(
        "{0} is locked with a Sigstore identity, and this program is built without the feature `sigstore`"
    )]
    SigstoreNotBuilt(String),
    /// A new entry has another issuer, subject or Sigstore identity than the lock has for the same reference or repository.
    #[error("{reference} has the {role} {actual}, and the lock has {locked}")]
    PublisherChanged {
        /// The reference.
        reference: String,
        /// `issuer`, `subject` or `identity`.
        role: &'static str,
        /// The public key or the identity in the lock.
        locked: String,
        /// The public key of the archive, or the identity that vouches for its manifest.
        actual: String,
    },
    /// A new entry has no Sigstore identity, although the lock has one for the same reference or repository. The trust policy
    /// demands none, and the identity in the lock has not signed the manifest or cannot be verified.
    #[error("{reference} has no identity that the trust policy demands, and the lock has {locked}")]
    IdentityLost {
        /// The reference.
        reference: String,
        /// The identity in the lock.
        locked: String,
    },
    /// A new entry has a lower revision than the lock has for its reference.
    #[error("{reference} has {}, but the lock has the higher revision {locked}", revision_text(*actual))]
    Downgrade {
        /// The reference.
        reference: String,
        /// The revision in the lock.
        locked: i32,
        /// The revision of the archive. An archive without a revision counts as older than any archive with one.
        actual: Option<i32>,
    },
    /// The lock file cannot be read.
    #[error("cannot read the lock file {}", path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The lock file cannot be written.
    #[error("cannot write the lock file {}", path.display())]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The lock file is malformed.
    #[error("the lock file {}, line {line}: {reason}", path.display())]
    Malformed {
        /// The path of the file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
}

/// Returns the part of a message that says why the locked identity does not vouch.
fn missing(refusals: &[(Digest, BundleError)], unread: usize) -> String {
    if refusals.is_empty() && unread == 0 {
        "has no Sigstore bundle".to_owned()
    } else {
        let refusals = said(refusals, unread);
        format!("no Sigstore bundle of it is by that identity: {refusals}")
    }
}

impl LockError {
    /// Returns the kind of the error, for callers that decide by it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotLocked { .. }
            | Self::OtherPublisher { .. }
            | Self::OtherRevision { .. }
            | Self::OtherIdentity { .. }
            | Self::IdentityMissing { .. }
            | Self::IdentityNotAllowed { .. }
            | Self::NoTrustedRoot { .. }
            | Self::SigstoreNotBuilt(_)
            | Self::PublisherChanged { .. }
            | Self::IdentityLost { .. }
            | Self::Downgrade { .. } => ErrorKind::NotVerified,
            Self::Read { source, .. } => kind_of_text(source),
            Self::Write { source, .. } => ErrorKind::of_io(source),
            Self::Malformed { .. } => ErrorKind::Usage,
        }
    }
}
