//! Why a verified archive is not trusted.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::content::{Digest, ErrorKind, StoreError, rfc3339, unix_seconds, with_causes};

use super::super::sigstore::{BundleError, TrustedRootError};
use super::super::toml_problem::kind_of_text;
use super::Pattern;

/// For how many bundles a message gives the reason.
const MOST_SAID: usize = 4;

/// A refusal of the trust policy or of a pin, or a problem with the file of the policy.
///
/// The field `what` is the archive: a reference, or the name of a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The issuer of the archive is not allowed.
    #[error(
        "{what} was published by {issuer}, which is not among the issuers that are allowed{}",
        for_rule(rule.as_ref())
    )]
    UntrustedIssuer {
        /// The archive.
        what: String,
        /// The issuer of the archive (`A…`).
        issuer: String,
        /// The pattern of the rule that decided. `None`: the policy allows certain issuers everywhere.
        rule: Option<Pattern>,
    },
    /// The issuer of the archive is revoked by the policy.
    #[error("{what} was published by {issuer}, which the trust policy revokes")]
    Revoked {
        /// The archive.
        what: String,
        /// The issuer of the archive (`A…`).
        issuer: String,
    },
    /// The issuer of the archive has retired by a rotation statement, and the archive was not used before that.
    #[error(
        "{what} was published by {issuer}, which has handed {place} over to {successor}, and was not used here before"
    )]
    Retired {
        /// The archive.
        what: String,
        /// The repository, as `registry/repository`.
        place: String,
        /// The issuer of the archive (`A…`).
        issuer: String,
        /// The issuer that the repository is pinned to (`A…`).
        successor: String,
    },
    /// The subject of the archive is not allowed by a rule.
    #[error(
        "{what} is the provider {subject}, which is not among the subjects that are allowed{}",
        for_rule(Some(rule))
    )]
    UntrustedSubject {
        /// The archive.
        what: String,
        /// The subject of the archive (`V…`).
        subject: String,
        /// The pattern of the rule that decided.
        rule: Pattern,
    },
    /// No rule matches the archive, and the policy denies what no rule matches. The field is the reference.
    #[error("no rule of the trust policy matches {0}, and the policy denies such references")]
    NoRule(String),
    /// The revision of the archive is lower than the policy allows.
    #[error("{what} has revision {revision}; at least {minimum} is required")]
    TooOld {
        /// The archive.
        what: String,
        /// The revision of the archive.
        revision: i32,
        /// The lowest revision that the policy allows.
        minimum: i32,
    },
    /// The archive has no revision, and the policy demands one.
    #[error("{what} has no revision; at least {minimum} is required")]
    NoRevision {
        /// The archive.
        what: String,
        /// The lowest revision that the policy allows.
        minimum: i32,
    },
    /// The repository is not pinned, and the policy demands a pin.
    #[error("{what} was published by {issuer}, which has not been accepted for {place} yet")]
    NotPinned {
        /// The archive.
        what: String,
        /// The repository, as `registry/repository`.
        place: String,
        /// The issuer of the archive (`A…`).
        issuer: String,
    },
    /// The issuer or the subject of the archive is not the one that the repository is pinned to.
    #[error(
        "{what} is not by the publisher to which {place} has been pinned since {}: {}",
        rfc3339(unix_seconds(*since)),
        changes.join(", ")
    )]
    IdentityChanged {
        /// The archive.
        what: String,
        /// The repository, as `registry/repository`.
        place: String,
        /// When the repository was pinned.
        since: SystemTime,
        /// What differs: `issuer OLD -> NEW`, `subject OLD -> NEW`, or both.
        changes: Vec<String>,
    },
    /// The tag named an archive with a higher revision before.
    #[error(
        "{what} has {}, and had revision {highest} before: the archive is older than before",
        revision_text(*revision)
    )]
    Downgrade {
        /// The archive.
        what: String,
        /// The revision of the archive. An archive without one counts as older than any that has one.
        revision: Option<i32>,
        /// The highest revision that the tag had.
        highest: i32,
    },
    /// The caller accepts a publisher for a reference that is never pinned. The field is the reference.
    #[error("{0} is never pinned: it is on this machine, or the trust policy says `pin = \"off\"`")]
    NeverPinned(String),
    /// The manifest has no Sigstore bundle, and the policy demands that an identity vouches for it.
    #[error("{what} has no Sigstore bundle, and one by {} is demanded", demanded.join(" or "))]
    NoBundle {
        /// The archive.
        what: String,
        /// The identities that the policy allows, as `SUBJECT of ISSUER`.
        demanded: Vec<String>,
    },
    /// The manifest has Sigstore bundles, and none is by an identity that the policy allows.
    #[error(
        "no Sigstore bundle of {what} is by {}: {}",
        demanded.join(" or "),
        said(refusals, *unread)
    )]
    UntrustedIdentity {
        /// The archive.
        what: String,
        /// The identities that the policy allows, as `SUBJECT of ISSUER`.
        demanded: Vec<String>,
        /// The digest of the manifest of each bundle, and why it does not count.
        refusals: Vec<(Digest, BundleError)>,
        /// How many further bundles were not read.
        unread: usize,
    },
    /// The bundles of a manifest cannot be listed or read, and the policy demands that an identity vouches for it.
    #[error("cannot read the Sigstore bundles of {what}")]
    UnknownIdentity {
        /// The archive.
        what: String,
        /// The error of the registry, the image layout or the cache.
        source: StoreError,
    },
    /// The policy demands that a Sigstore identity vouches for the manifest, and no registry may be asked for its
    /// bundles. The field is the archive.
    #[error("the cache holds no Sigstore bundle of {0} that counts, and no registry may be asked")]
    IdentityNotCached(String),
    /// The policy demands that a Sigstore identity vouches for the manifest, and an archive in a file has no manifest.
    /// The field is the file.
    #[error(
        "the trust policy demands a Sigstore identity, which {0} cannot have: an identity signs a manifest, and a file has none"
    )]
    IdentityOfFile(String),
    /// The policy demands a Sigstore identity, and the program is built without the feature `sigstore`. The field is the
    /// archive.
    #[error(
        "the trust policy demands a Sigstore identity of {0}, and this program is built without the feature `sigstore`"
    )]
    SigstoreNotBuilt(String),
    /// The trusted root of a Sigstore instance cannot be used.
    #[error(transparent)]
    TrustedRoot(#[from] TrustedRootError),
    /// The file of the policy cannot be read.
    #[error("cannot read the trust policy {}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file of the policy is malformed.
    #[error("the trust policy {}, line {line}, column {column}: {reason}", path.display())]
    Malformed {
        /// The path of the file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column in characters, counted from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
}

/// Returns the revision for a message: "revision 3" or "no revision".
pub(in crate::client) fn revision_text(revision: Option<i32>) -> String {
    revision.map_or_else(
        || "no revision".into(),
        |revision| format!("revision {revision}"),
    )
}

/// Returns the part of a message with the reasons why bundles do not count.
pub(in crate::client) fn said(refusals: &[(Digest, BundleError)], unread: usize) -> String {
    let first = refusals.iter().take(MOST_SAID);
    let mut reasons: Vec<String> = first
        .map(|(digest, error)| {
            let short: String = digest.hex().chars().take(12).collect();
            format!("{short} does not count, because {}", with_causes(error))
        })
        .collect();
    let more = refusals.len().saturating_sub(MOST_SAID);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    if unread > 0 {
        reasons.push(format!("and {unread} that were not read"));
    }
    reasons.join("; ")
}

fn for_rule(pattern: Option<&Pattern>) -> String {
    pattern.map_or_else(String::new, |pattern| format!(" for {pattern}"))
}

impl TrustError {
    /// Returns the kind of the error, by which a caller can decide what to do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { source, .. } => kind_of_text(source),
            Self::UnknownIdentity { source, .. } => source.kind(),
            Self::TrustedRoot(error) => error.kind(),
            Self::IdentityNotCached(_) => ErrorKind::NotFound,
            Self::Malformed { .. } | Self::NeverPinned(_) => ErrorKind::Usage,
            _ => ErrorKind::NotVerified,
        }
    }
}
