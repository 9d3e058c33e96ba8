//! The errors of the archive layer.

mod kind;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::content::{Digest, rfc3339, unix_seconds};

use super::target::Target;

/// An error of a library. Its type is hidden, so that it may change.
pub(super) type Opaque = Box<dyn StdError + Send + Sync>;

/// An error of the archive layer. Each variant names one thing that can be wrong with an archive, its claims or its
/// keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The archive at a path cannot be used. The source says what is wrong.
    #[error("cannot use the archive {}", path.display())]
    Archive {
        /// The path of the archive.
        path: PathBuf,
        /// The error without the path.
        source: Box<Error>,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The input or output of an archive failed, or a meter stopped the work.
    #[error("reading the archive failed")]
    Stream(#[source] io::Error),
    /// A thread could not be started, or it failed.
    #[error("a thread that reads or hashes the archive failed")]
    Thread(#[source] io::Error),

    /// The bytes are not a tar, plain or compressed.
    #[error("it is not a provider archive: {0}")]
    NotAnArchive(&'static str),
    /// The bytes are a WebAssembly module or component.
    #[error("it is a WebAssembly component, not a provider archive")]
    Component,
    /// The bytes are a ZIP file, as `provider-archive` 0.1 wrote them.
    #[error("it is a provider archive in the ZIP format of 2021, which no host reads any more")]
    Zip,
    /// The bytes end too early. The text names the part of the archive in which they end.
    #[error("it is truncated: the data ends in the middle of {0}")]
    Truncated(&'static str),
    /// The gzip data has several members. Hosts read only the first one.
    #[error("its gzip data has several members, and hosts read only the first one")]
    SeveralMembers,
    /// The gzip data is damaged.
    #[error("its gzip data is damaged")]
    DamagedGzip(#[source] io::Error),
    /// The tar structure is damaged.
    #[error("its tar structure is damaged")]
    DamagedTar(#[source] io::Error),
    /// There is data after the end of the archive.
    #[error("there is data after its end")]
    TrailingData,
    /// A bound of [`Limits`](super::Limits) was exceeded.
    #[error("it has more than {limit} {what}")]
    TooLarge {
        /// What the bound counts, with its unit.
        what: &'static str,
        /// The bound, in that unit.
        limit: u64,
    },
    /// The size in the header of an entry exceeds a bound of [`Limits`](super::Limits).
    #[error("its entry `{name}` has {size} bytes, and the limit is {limit}")]
    EntryTooLarge {
        /// The name of the entry, or the target of the executable.
        name: String,
        /// The size in bytes.
        size: u64,
        /// The bound in bytes.
        limit: u64,
    },
    /// An entry has a name that no archive may have.
    #[error("its entry `{name}` has a forbidden name: {why}")]
    ForbiddenName {
        /// The name of the entry, escaped.
        name: String,
        /// The rule that the name breaks.
        why: &'static str,
    },
    /// An entry is neither a file nor an empty directory.
    #[error("its entry `{name}` is a {what}; only files are allowed")]
    ForbiddenEntry {
        /// The name of the entry, escaped.
        name: String,
        /// The type of the entry.
        what: &'static str,
    },
    /// Two entries have the same role: both are the claims, the world, or the executable for one target.
    #[error("it has two entries for `{0}`")]
    DuplicateEntry(String),
    /// The bytes are the tar of an OCI image layout. Such a tar may contain provider archives, but is none itself.
    #[error("it is the tar of an OCI image layout, not a provider archive")]
    ImageLayout,
    /// The archive has no `claims.jwt`.
    #[error("it has no claims: the entry `claims.jwt` is missing")]
    NoClaims,
    /// The archive has no executable.
    #[error("it holds no executable")]
    NoExecutables,

    /// The claims are not the token of a provider.
    #[error("its claims are malformed: {reason}")]
    MalformedClaims {
        /// What is malformed.
        reason: String,
        /// The error of the decoder.
        #[source]
        source: Option<Opaque>,
    },
    /// A rotation statement is not valid.
    #[error("the rotation statement is not valid: {reason}")]
    Rotation {
        /// What is wrong with it.
        reason: String,
        /// The error of the decoder.
        #[source]
        source: Option<Opaque>,
    },
    /// The signature of the token is not a valid signature of its issuer.
    #[error("the signature of its claims is not a valid signature of their issuer {issuer}")]
    BadSignature {
        /// The issuer that the token names.
        issuer: String,
    },
    /// The issuer or the subject is not a public key of the right type.
    #[error("the {role} `{key}` is not {expected}")]
    WrongKeyType {
        /// `issuer` or `subject`.
        role: &'static str,
        /// The key, escaped.
        key: String,
        /// A description of the right type.
        expected: &'static str,
    },
    /// The token has expired. The text gives the time at which it expired, and the current time.
    #[error("its claims expired {0}")]
    Expired(String),
    /// The token is not yet valid. The text gives the time from which it is valid, and the current time.
    #[error("its claims become valid only {0}")]
    NotYetValid(String),
    /// An entry is not covered by the signed hashes.
    #[error("its entry `{0}` is not covered by the signed claims")]
    Unclaimed(String),
    /// The hash of an entry differs from the signed hash.
    #[error(
        "its entry `{entry}` was changed after signing: the claims name {expected}, it is {actual}"
    )]
    HashMismatch {
        /// The target of the executable, or the name of the world's entry.
        entry: String,
        /// The signed hash.
        expected: Digest,
        /// The hash of the content.
        actual: Digest,
    },
    /// The claims cover a world that the archive does not have.
    #[error("the world that its claims cover, `world.wasm`, is missing")]
    WorldMissing,

    /// The archive has no executable for a target.
    #[error("it has no executable for {target}; it has {}", list(available.iter()))]
    NoSuchTarget {
        /// The target that was asked for.
        target: Target,
        /// The targets of the archive.
        available: Vec<Target>,
    },
    /// An executable changed while it was being packed.
    #[error("{} changed while it was being packed", .0.display())]
    InputChanged(PathBuf),
    /// Another program replaced or changed an archive while it was being edited.
    #[error("the archive {} changed while it was being edited", .0.display())]
    ArchiveChanged(PathBuf),
    /// Signing again would change the issuer or the subject of an archive.
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
    #[error("an archive needs at least one executable, and none would be left")]
    NothingLeft,
    /// The dates for a new signature leave no time at which the archive would be valid.
    #[error("the archive would expire at {}, {reason}", rfc3339(unix_seconds(*expires)))]
    NeverValid {
        /// The time when it would expire.
        expires: SystemTime,
        /// Why that is too early.
        reason: String,
    },
    /// A rotation statement with these accounts and providers would not be valid.
    #[error("cannot sign the rotation statement: {reason}")]
    CannotRotate {
        /// What would be wrong with it.
        reason: String,
    },
    /// Signing failed.
    #[error("cannot sign the claims")]
    Sign(#[source] Opaque),
    /// The metadata cannot be written as claims.
    #[error("cannot encode the claims")]
    Encode(#[source] Opaque),

    /// None of the searched directories holds the key.
    #[error("there is no {kind} key `{name}` in {}", list(directories.iter().map(|path| path.display())))]
    NoSuchKey {
        /// `account` or `service`.
        kind: &'static str,
        /// The name of the key file, or the public key.
        name: String,
        /// The directories that were searched.
        directories: Vec<PathBuf>,
    },
    /// The value for a key is neither a seed nor the path of a readable file. The value may be a secret and is not part
    /// of the error.
    #[error("{origin} is neither {} nor the path of a file that can be read", forms(*takes_public_key))]
    NoSeed {
        /// The source of the value, such as a parameter.
        origin: String,
        /// Whether a public key is enough in the place of the seed.
        takes_public_key: bool,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A seed is malformed. Its text is a secret and not part of the error.
    #[error("the seed in {origin} is malformed")]
    MalformedSeed {
        /// Where the seed came from.
        origin: String,
        /// The error of the decoder.
        source: Opaque,
    },
    /// A seed is of the wrong type.
    #[error("the key in {origin} is not {expected}")]
    WrongSeedType {
        /// Where the seed came from.
        origin: String,
        /// A description of the right type.
        expected: &'static str,
    },
    /// A public key has the right form and a wrong checksum, as after a typing error.
    #[error("cannot use {origin}: it has the form of {expected}, but its checksum is wrong")]
    MistypedPublicKey {
        /// Where the key came from.
        origin: String,
        /// A description of the right type.
        expected: &'static str,
    },
    /// A public key is of another type than the expected one.
    #[error("cannot use {origin}: it is the public key of {given}, and not that of {expected}")]
    WrongPublicKey {
        /// Where the key came from.
        origin: String,
        /// What the key belongs to.
        given: &'static str,
        /// What a key of the right type belongs to.
        expected: &'static str,
    },
    /// The caller gave no directory for keys, and the environment names none.
    #[error(
        "no directory for keys is known: none was given, WASH_KEYS is not set, and there is no home directory"
    )]
    NoKeyDirectory,

    /// A WIT directory cannot be encoded.
    #[error("cannot use the WIT in {place}: {reason}")]
    Wit {
        /// The directory, or the file in it.
        place: String,
        /// The message of the parser.
        reason: String,
    },
    /// The WIT world of an archive cannot be printed.
    #[error("cannot print its WIT world, `world.wasm`: {reason}")]
    UnreadableWorld {
        /// The message of the parser.
        reason: String,
    },
}

impl Error {
    /// Adds the path of the archive to an error that names no file.
    #[must_use]
    pub(crate) fn in_archive(self, path: &Path) -> Self {
        match self {
            Self::Archive { .. } | Self::Read { .. } | Self::Write { .. } => self,
            other => Self::Archive {
                path: path.to_owned(),
                source: Box::new(other),
            },
        }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn no_such_target<V>(target: &Target, available: &BTreeMap<Target, V>) -> Self {
        Self::NoSuchTarget {
            target: target.clone(),
            available: available.keys().cloned().collect(),
        }
    }

    pub(super) fn malformed_claims(reason: impl Into<String>) -> Self {
        Self::MalformedClaims {
            reason: reason.into(),
            source: None,
        }
    }
}

/// Returns the forms that a key can have, besides a file.
fn forms(takes_public_key: bool) -> &'static str {
    if takes_public_key {
        "a public key, a seed"
    } else {
        "a seed"
    }
}

fn list<T: Display>(items: impl Iterator<Item = T>) -> String {
    let items: Vec<_> = items.map(|item| item.to_string()).collect();
    items.join(", ")
}
