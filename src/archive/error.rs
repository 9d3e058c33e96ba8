//! Everything that can be wrong with an archive, its claims or its keys.

use std::io;
use std::path::{Path, PathBuf};

use crate::content::{Digest, ErrorKind, rfc3339};

use super::target::Target;

/// An error of the archive layer: one variant per way that something can be bad.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something is wrong with the archive at `path`; the source says what.
    #[error("cannot use the archive {}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        source: Box<Error>,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The stream that holds the archive failed, or the work was stopped.
    #[error("reading the archive failed")]
    Stream(#[source] io::Error),

    /// The bytes are no tar, plain or compressed.
    #[error("it is not a provider archive: {0}")]
    NotAnArchive(&'static str),
    /// The bytes are a WebAssembly module or component.
    #[error("it is a WebAssembly component, not a provider archive")]
    Component,
    /// The bytes are a ZIP file, as `provider-archive` 0.1 wrote them.
    #[error("it is a provider archive in the ZIP format of 2021, which no host reads any more")]
    Zip,
    /// The bytes end too early.
    #[error("it is truncated: the data ends in the middle of {0}")]
    Truncated(&'static str),
    /// The gzip data is damaged.
    #[error("its gzip data is damaged")]
    DamagedGzip(#[source] io::Error),
    /// The tar structure is damaged.
    #[error("its tar structure is damaged")]
    DamagedTar(#[source] io::Error),
    /// There is data behind the end of the archive.
    #[error("there is data behind its end")]
    TrailingData,
    /// A bound of [`Limits`](super::Limits) was exceeded.
    #[error("it has more than {limit} {what}")]
    TooLarge {
        /// What there is too much of, with its unit.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// An entry has a name that no archive may have.
    #[error("its entry `{name}` has a forbidden name: {why}")]
    ForbiddenName {
        /// The name, escaped.
        name: String,
        /// Which rule it breaks.
        why: &'static str,
    },
    /// An entry is neither a file nor a folder.
    #[error("its entry `{name}` is a {what}; only files are allowed")]
    ForbiddenEntry {
        /// The name, escaped.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// Two entries mean the same thing.
    #[error("it has two entries for `{0}`")]
    DuplicateEntry(String),
    /// There is no `claims.jwt`.
    #[error("it has no claims: the entry `claims.jwt` is missing")]
    NoClaims,
    /// There is no executable.
    #[error("it holds no executable")]
    NoExecutables,

    /// The token is not a token of a provider.
    #[error("its claims are malformed: {reason}")]
    MalformedClaims {
        /// What is malformed.
        reason: String,
        /// The decoder's error, where there is one.
        #[source]
        source: Option<wascap::Error>,
    },
    /// The token's signature is not that of its issuer.
    #[error("the signature of its claims is not that of their issuer {issuer}")]
    BadSignature {
        /// The issuer that the token names.
        issuer: String,
    },
    /// The issuer or the subject is a key of the wrong type.
    #[error("the {role} of its claims, `{key}`, is not {expected}")]
    WrongKeyType {
        /// `issuer` or `subject`.
        role: &'static str,
        /// The key, escaped.
        key: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The token has expired.
    #[error("its claims expired {0}")]
    Expired(String),
    /// The token is not yet valid.
    #[error("its claims become valid only {0}")]
    NotYetValid(String),
    /// An entry is not covered by the signed hashes.
    #[error("its entry `{0}` is not covered by the signed claims")]
    Unclaimed(String),
    /// An entry is not the one that was signed.
    #[error(
        "its entry `{entry}` was changed after signing: the claims name {expected}, it is {actual}"
    )]
    HashMismatch {
        /// The entry.
        entry: String,
        /// The signed hash.
        expected: Digest,
        /// The hash of what is there.
        actual: Digest,
    },
    /// The claims cover a world that is not there.
    #[error("the world that its claims cover, `world.wasm`, is missing")]
    WorldMissing,

    /// The archive has no executable for a target.
    #[error("it has no executable for {target}; it has {}", list(available))]
    NoSuchTarget {
        /// What was asked for.
        target: Target,
        /// What is there.
        available: Vec<Target>,
    },
    /// An executable changed while it was being packed.
    #[error("{} changed while it was being packed", .0.display())]
    InputChanged(PathBuf),
    /// Re-signing would change who the archive comes from or which provider it is.
    #[error(
        "the {role} would change from {before} to {after}, and with it the provider's identity"
    )]
    IdentityWouldChange {
        /// `issuer` or `subject`.
        role: &'static str,
        /// The public key in the archive.
        before: String,
        /// The public key of the signer.
        after: String,
    },
    /// An edit would leave no executable.
    #[error("an archive holds an executable at least, and none would be left")]
    NothingLeft,
    /// The archive that is to be signed would at no time be valid.
    #[error("the archive would expire at {}, {reason}", rfc3339(*expires))]
    NeverValid {
        /// When it would expire, in seconds since 1970.
        expires: u64,
        /// Why that is too early.
        reason: String,
    },
    /// Signing failed.
    #[error("cannot sign the claims")]
    Sign(#[source] nkeys::error::Error),
    /// The metadata cannot be written as claims.
    #[error("cannot encode the claims")]
    Encode(#[source] serde_json::Error),

    /// There is no key where one was looked for.
    #[error("there is no {kind} key `{name}` in {}", folders(directories))]
    NoSuchKey {
        /// `account` or `service`.
        kind: &'static str,
        /// The file's name.
        name: String,
        /// Where it was looked for.
        directories: Vec<PathBuf>,
    },
    /// A seed is malformed. Its text is a secret and not part of the error.
    #[error("the seed in {origin} is malformed")]
    MalformedSeed {
        /// Where the seed came from.
        origin: String,
        /// What `nkeys` said.
        source: nkeys::error::Error,
    },
    /// A seed is of another type.
    #[error("the key in {origin} is not {expected}")]
    WrongSeedType {
        /// Where the seed came from.
        origin: String,
        /// What it should be.
        expected: &'static str,
    },
    /// There is no folder for keys: neither an option nor the environment names one.
    #[error(
        "no directory for keys is known: none was given, WASH_KEYS is not set, and there is no home directory"
    )]
    NoKeyDirectory,

    /// A WIT folder cannot be encoded, or a world not be printed.
    #[error("cannot use the WIT in {place}: {reason}")]
    Wit {
        /// The folder, or the entry.
        place: String,
        /// What the parser said.
        reason: String,
    },
}

impl Error {
    /// Says which archive an error is about.
    #[must_use]
    pub fn in_archive(self, path: &Path) -> Self {
        match self {
            // These name their file already.
            Self::Archive { .. } | Self::Read { .. } | Self::Write { .. } => self,
            other => Self::Archive {
                path: path.to_owned(),
                source: Box::new(other),
            },
        }
    }

    pub(super) fn malformed_claims(reason: impl Into<String>) -> Self {
        Self::MalformedClaims {
            reason: reason.into(),
            source: None,
        }
    }

    /// What a caller can decide on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Archive { source, .. } => source.kind(),
            Self::Read { source, .. } | Self::Write { source, .. } | Self::Stream(source) => {
                ErrorKind::of_io(source)
            }
            Self::NoSuchTarget { .. } | Self::NoSuchKey { .. } => ErrorKind::NotFound,
            Self::IdentityWouldChange { .. }
            | Self::NothingLeft
            | Self::NeverValid { .. }
            | Self::MalformedSeed { .. }
            | Self::WrongSeedType { .. }
            | Self::NoKeyDirectory
            | Self::Wit { .. } => ErrorKind::Usage,
            Self::InputChanged(_) | Self::Sign(_) | Self::Encode(_) => ErrorKind::Other,
            _ => ErrorKind::NotVerified,
        }
    }
}

fn list(targets: &[Target]) -> String {
    let names: Vec<&str> = targets.iter().map(Target::as_str).collect();
    names.join(", ")
}

fn folders(directories: &[PathBuf]) -> String {
    let names: Vec<String> = directories
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    names.join(", ")
}
