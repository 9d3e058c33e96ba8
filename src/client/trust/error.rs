//! Why an archive that verifies is not trusted.

use std::io;
use std::path::{Path, PathBuf};

use crate::content::ErrorKind;

use super::Pattern;

/// A refusal of the trust policy, or of a pin; or what is wrong with the policy's file. `what` is the
/// archive: a reference, or a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the messages say what each variant and its fields are"
)]
pub enum TrustError {
    #[error(
        "{what} was published by {issuer}, which is not among the issuers that are allowed{}",
        for_rule(rule.as_ref())
    )]
    UntrustedIssuer {
        what: String,
        issuer: String,
        /// The rule that decides. `None`: the issuers were given to the client.
        rule: Option<Pattern>,
    },
    #[error(
        "{what} is the provider {subject}, which is not among the subjects that are allowed{}",
        for_rule(Some(rule))
    )]
    UntrustedSubject {
        what: String,
        subject: String,
        rule: Pattern,
    },
    #[error("no rule of the trust policy is about {0}, and what none is about is denied")]
    NoRule(String),
    #[error("{what} has revision {revision}; at least {minimum} is demanded")]
    TooOld {
        what: String,
        revision: i32,
        minimum: i32,
    },
    #[error("{what} has no revision; at least {minimum} is demanded")]
    NoRevision { what: String, minimum: i32 },
    #[error("{what} was published by {issuer}, who has not been accepted for {place} yet")]
    NotPinned {
        what: String,
        place: String,
        issuer: String,
    },
    #[error("{what} is not from whom {place} is pinned to since {since}: {}", changes.join(", "))]
    IdentityChanged {
        what: String,
        place: String,
        /// Since when, for people.
        since: String,
        /// `issuer OLD -> NEW`, `subject OLD -> NEW`, or both.
        changes: Vec<String>,
    },
    #[error("{what} has revision {revision}, and had revision {highest} before: it is older now")]
    Downgrade {
        what: String,
        revision: i32,
        highest: i32,
    },
    #[error("{0} is never pinned: it is on this machine, or the trust policy says `pin = \"off\"`")]
    NeverPinned(String),
    #[error("cannot read the trust policy {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the trust policy {}, line {line}, column {column}: {reason}", path.display())]
    Malformed {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        reason: String,
    },
}

fn for_rule(pattern: Option<&Pattern>) -> String {
    pattern.map_or_else(String::new, |pattern| format!(" for {pattern}"))
}

impl TrustError {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// What a caller can decide on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { source, .. } => ErrorKind::of_io(source),
            Self::Malformed { .. } | Self::NeverPinned(_) => ErrorKind::Usage,
            _ => ErrorKind::NotVerified,
        }
    }
}
