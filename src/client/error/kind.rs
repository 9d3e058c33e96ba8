//! The kind of an error, for programs.

use crate::content::ErrorKind;

use super::Error;

impl Error {
    /// Returns the kind of the error, by which a caller can decide what to do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Archive(error) | Self::Unusable { source: error, .. } => error.kind(),
            Self::Oci(error) | Self::Base { source: error, .. } => error.kind(),
            Self::Cache(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Reference(_)
            | Self::Unnamed(_)
            | Self::LatestRefused(_)
            | Self::ReservedAnnotation(_)
            | Self::ReservedLabel(_)
            | Self::ImagePath { .. }
            | Self::MediaType(_)
            | Self::AttachmentTooLarge { .. }
            | Self::MirrorName { .. }
            | Self::MirrorPlace(_)
            | Self::OtherRotation { .. } => ErrorKind::Usage,
            Self::DeniedButCached { source, .. } => source.kind(),
            Self::OtherDigest { .. }
            | Self::OtherClaims(_)
            | Self::Damaged { .. }
            | Self::WrongContent { .. }
            | Self::ManifestTooLarge { .. }
            | Self::TooMuch { .. }
            | Self::TooMuchAttached { .. }
            | Self::TooManyUntagged { .. } => ErrorKind::NotVerified,
            Self::NotAttached { source, .. } => source.kind(),
            Self::TagExists { .. }
            | Self::NotReplaced { .. }
            | Self::TagIdentity { .. }
            | Self::TagMoved { .. }
            | Self::TagOfArchive { .. } => ErrorKind::Conflict,
            Self::Trust(error) => error.kind(),
            Self::Shared(error) => error.kind(),
            Self::NotCached(_) | Self::NoImageTarget { .. } => ErrorKind::NotFound,
            Self::Lock(error) => error.kind(),
            Self::Signing { source, .. } => source.kind(),
            Self::Write { source, .. } => ErrorKind::of_io(source),
            Self::Cancelled | Self::Thread(_) | Self::Abandoned => ErrorKind::Other,
        }
    }
}
