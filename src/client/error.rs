//! The errors of the client.

mod kind;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::{self, Issuer, Subject};
use crate::cache;
use crate::content::{Digest, RuntimeEnded, StoreError, VerifyError};
use crate::oci::{self, ParseReferenceError, Reference};

use super::lock::LockError;
use super::signing::SigningError;
use super::trust::TrustError;

/// An error of the client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A local archive cannot be read, written or verified.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The archive that a reference stands for cannot be used.
    #[error("cannot use {reference}")]
    Unusable {
        /// The reference.
        reference: String,
        /// What is wrong with the archive.
        source: archive::Error,
    },
    /// A text is not a reference.
    #[error(transparent)]
    Reference(#[from] ParseReferenceError),
    /// A registry or an image layout failed.
    #[error(transparent)]
    Oci(#[from] oci::Error),
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// A transfer between two stores failed. The error is that of one of the stores.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A reference has neither a tag nor a digest. The field is the reference.
    #[error("{0} names neither a tag nor a digest")]
    Unnamed(String),
    /// The cache does not have the content of a reference, and the pull policy allows no request. The field is the
    /// reference.
    #[error("{0} is not in the cache, and no registry may be asked")]
    NotCached(String),
    /// A reference has the tag `latest`, which the settings of its registry do not allow. The field is the
    /// reference.
    #[error("{0} is not used: the tag `latest` is not allowed for this registry")]
    LatestRefused(String),
    /// A reference stands for another digest than the expected one.
    #[error("{reference} is {actual}, not {expected}")]
    OtherDigest {
        /// The reference.
        reference: String,
        /// The digest that the caller expects.
        expected: Digest,
        /// The digest that the reference stands for.
        actual: Digest,
    },
    /// A tag names another manifest, or a file that would be replaced has one, and the caller does not allow replacing it.
    #[error("{reference} exists: it is {existing}, not {wanted}")]
    TagExists {
        /// The reference with the tag.
        reference: String,
        /// The digest of the manifest that the tag names.
        existing: Digest,
        /// The digest of the manifest that the caller wants the tag to name.
        wanted: Digest,
    },
    /// The destination of an image is an existing file that is not the tar of an image layout.
    #[error("{} exists, and is not replaced", path.display())]
    NotReplaced {
        /// The path of the file.
        path: PathBuf,
        /// What the file is.
        source: oci::Error,
    },
    /// A tag names an archive of another issuer or subject, and the caller has not allowed that to change.
    #[error(
        "{reference} names an archive of the issuer {issuer} and the subject {subject}; the new one is of \
         the issuer {new_issuer} and the subject {new_subject}"
    )]
    TagIdentity {
        /// The reference with the tag.
        reference: String,
        /// The issuer of the archive that the tag names.
        issuer: Issuer,
        /// The subject of the archive that the tag names.
        subject: Subject,
        /// The issuer of the archive that it should have named.
        new_issuer: Issuer,
        /// The subject of the archive that it should have named.
        new_subject: Subject,
    },
    /// A tag names a provider archive, and the caller has not allowed a container image in its place.
    #[error(
        "{reference} names a provider archive of the issuer {issuer} and the subject {subject}, not a container image"
    )]
    TagOfArchive {
        /// The reference with the tag.
        reference: String,
        /// The issuer of the archive that the tag names.
        issuer: Issuer,
        /// The subject of the archive that the tag names.
        subject: Subject,
    },
    /// No executable of an archive can be in a container image: the images are for Linux.
    #[error("no container image can be made of {archive} for {targets}: images are for Linux")]
    NoImageTarget {
        /// The archive: a reference, or the name of the input.
        archive: String,
        /// The targets in the archive, or the targets that the caller wants, separated by commas.
        targets: String,
    },
    /// A path cannot be that of the executable in a container image.
    #[error("`{path}` cannot be the path of the executable in an image: {reason}")]
    ImagePath {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The caller gave a label that every exported image has. The field is the name of the label.
    #[error("the label `{0}` is written by the export itself")]
    ReservedLabel(String),
    /// A base image cannot be used.
    #[error("cannot use {reference} as a base image")]
    Base {
        /// The reference of the base image.
        reference: String,
        /// Why it cannot be used.
        source: oci::Error,
    },
    /// The manifest of an archive carries claims that a publisher has signed, and the archive contains others.
    /// The field is the reference.
    #[error("the manifest of {0} carries other claims than the archive itself")]
    OtherClaims(String),
    /// The caller gave an annotation that the push itself writes. The field is the name of the annotation.
    #[error("the annotation `{0}` is written by push itself")]
    ReservedAnnotation(&'static str),
    /// The keys in a rotation statement are not those of the pushed archive.
    #[error(
        "the rotation statement for {reference} is not about this archive: it hands {} over to {successor}, but the archive is \
         {subject}, signed by {issuer}",
        providers.join(", ")
    )]
    OtherRotation {
        /// The reference to which the archive is pushed.
        reference: String,
        /// The account that the statement hands over to (`A…`).
        successor: String,
        /// The providers of the statement (`V…`).
        providers: Vec<String>,
        /// The issuer of the archive (`A…`).
        issuer: String,
        /// The subject of the archive (`V…`).
        subject: String,
    },
    /// The registry denies access to a tag whose manifest the cache holds.
    #[error("{reference} cannot be confirmed, and is cached as {digest}")]
    DeniedButCached {
        /// The reference.
        reference: String,
        /// The digest of the manifest that was last confirmed.
        digest: Digest,
        /// Why access is denied.
        source: StoreError,
    },
    /// A layer in the cache does not match its digest or its size.
    #[error("the archive of {reference} is damaged in the cache")]
    Damaged {
        /// The reference.
        reference: String,
        /// How the layer differs.
        source: VerifyError,
    },
    /// The registry or the image layout of a reference gives other content than a digest says.
    #[error("{reference} gives wrong content")]
    WrongContent {
        /// The reference.
        reference: String,
        /// How the content differs.
        source: StoreError,
    },
    /// A manifest is larger than the largest that the client reads.
    #[error("the manifest of {reference} has {size} bytes; at most {limit} are read")]
    ManifestTooLarge {
        /// The reference.
        reference: String,
        /// The size of the manifest in bytes.
        size: u64,
        /// The largest size in bytes that is read.
        limit: u64,
    },
    /// The trust policy or a pin refuses a verified archive, or the policy cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A manifest is not deleted, because a tag that needs it, or that named it, has changed.
    #[error(
        "{digest} is not deleted: {reference} was created or moved after the deletion was planned"
    )]
    TagMoved {
        /// The reference with the tag.
        reference: String,
        /// The digest of the manifest.
        digest: Digest,
    },
    /// A reference has no name in a mirror.
    #[error("{reference} cannot be mirrored: {reason}")]
    MirrorName {
        /// The reference.
        reference: String,
        /// Why it has no name there.
        reason: String,
    },
    /// A text is not the place of a mirror. The field is the text.
    #[error(
        "`{0}` is neither a registry, with or without a prefix for its repositories, nor an image layout"
    )]
    MirrorPlace(String),
    /// A reference names more content than is copied.
    #[error(
        "{reference} is too large to copy: it has more than {most} manifests and blobs, manifests of \
         more than {mebibytes} MiB, or manifests nested more than {deepest} deep"
    )]
    TooMuch {
        /// The reference.
        reference: String,
        /// The largest number of manifests and blobs.
        most: usize,
        /// The largest size of all manifests together, in MiB.
        mebibytes: u64,
        /// The largest depth of nested manifests.
        deepest: usize,
    },
    /// The type of an attachment, or the type of its content, is not a media type. The field is the type.
    #[error("`{0}` is not a media type")]
    MediaType(String),
    /// The content of an attachment is larger than the caller reads.
    #[error("the content {digest} has {size} bytes; at most {limit} are read")]
    AttachmentTooLarge {
        /// The digest of the content.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// The largest size in bytes that the caller reads.
        limit: u64,
    },
    /// More manifests belong to a manifest than are copied or deleted with it.
    #[error(
        "{reference} has too many attachments: more than {most} manifests, or attachments of attachments more than {deepest} \
         deep"
    )]
    TooMuchAttached {
        /// The reference.
        reference: String,
        /// The largest number of manifests.
        most: usize,
        /// The largest depth of referrers of referrers.
        deepest: usize,
    },
    /// To find out what a repository still needs, more manifests without a tag would have to be read than are read.
    #[error(
        "{repository} cannot be pruned: its indexes and attachments name more than {most} manifests without a tag, \
         which would all have to be read"
    )]
    TooManyUntagged {
        /// The repository.
        repository: String,
        /// The largest number of manifests that are read.
        most: usize,
    },
    /// A manifest that belongs to the copied one was not copied. The rest was, and the tag was not moved.
    #[error(
        "{digest}, which belongs to the copied manifest, was not copied to {reference}{}; the tag was not moved",
        and_others(*others)
    )]
    NotAttached {
        /// The digest of the manifest.
        digest: Digest,
        /// The destination.
        reference: String,
        /// How many others were not copied either.
        others: usize,
        /// Why it was not copied.
        source: Box<Error>,
    },
    /// The lock refuses an archive, or the lock file cannot be read or written.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Nothing was signed with Sigstore.
    #[error("cannot sign {reference}")]
    Signing {
        /// The reference.
        reference: String,
        /// Why nothing was signed.
        source: SigningError,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The work was cancelled: the runtime is shutting down.
    #[error("the work was cancelled")]
    Cancelled,
    /// No thread could be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// Another task fetched the same executable, and failed. This task shares its result.
    #[error(transparent)]
    Shared(Arc<Error>),
    /// Work in the background panicked: the code of this crate, or the caller's reader or progress.
    #[error("the work was abandoned after a panic")]
    Abandoned,
}

impl Error {
    /// Returns a function that adds the reference to the error of its archive.
    pub(super) fn unusable(reference: &Reference) -> impl FnOnce(archive::Error) -> Self {
        let reference = reference.to_string();
        move |source| Self::Unusable { reference, source }
    }

    /// Returns a function that adds the reference to the error that its registry or image layout gives wrong content.
    pub(super) fn giving(reference: &Reference) -> impl FnOnce(Self) -> Self {
        let reference = reference.to_string();
        move |error| match error {
            Self::Store(source) if is_wrong_content(&source) => {
                Self::WrongContent { reference, source }
            }
            Self::Oci(error) if is_wrong(&error) => {
                let source = error.into();
                Self::WrongContent { reference, source }
            }
            other => other,
        }
    }

    /// Turns the failure to write a file into an error of the cache. Call this for a file in the cache.
    pub(super) fn in_cache(self) -> Self {
        match self {
            Self::Archive(archive::Error::Write { path, source })
            | Self::Unusable {
                source: archive::Error::Write { path, source },
                ..
            } => cache::Error::File { path, source }.into(),
            other => other,
        }
    }

    /// Returns a function that adds a path to the failure to write a file.
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}

impl From<RuntimeEnded> for Error {
    fn from(_: RuntimeEnded) -> Self {
        Self::Cancelled
    }
}

/// Returns whether an error says that content does not have its digest or its size.
fn is_wrong_content(error: &StoreError) -> bool {
    matches!(error.downcast_ref(), Some(cache::Error::NotVerified(_)))
        || error.downcast_ref().is_some_and(is_wrong)
}

fn is_wrong(error: &oci::Error) -> bool {
    use oci::Error::{NotVerified, SourceChanged};
    matches!(error.root(), NotVerified { .. } | SourceChanged { .. })
}

/// Returns the end of a sentence that tells how many other manifests were not copied.
fn and_others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", and neither was another one".to_owned(),
        count => format!(", and neither were {count} others"),
    }
}
