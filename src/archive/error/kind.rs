//! The kind of an error, for programs.

use crate::content::ErrorKind;

use super::Error;

impl Error {
    /// Returns the kind of the error, for callers that act on it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Archive { source, .. } => source.kind(),
            Self::Read { source, .. }
            | Self::Write { source, .. }
            | Self::NoSeed { source, .. }
            | Self::Stream(source) => ErrorKind::of_io(source),
            Self::NoSuchTarget { .. } | Self::NoSuchKey { .. } => ErrorKind::NotFound,
            Self::ArchiveChanged(_) => ErrorKind::Conflict,
            Self::IdentityWouldChange { .. }
            | Self::NothingLeft
            | Self::NeverValid { .. }
            | Self::CannotRotate { .. }
            | Self::MalformedSeed { .. }
            | Self::WrongSeedType { .. }
            | Self::MistypedPublicKey { .. }
            | Self::WrongPublicKey { .. }
            | Self::NoKeyDirectory
            | Self::Wit { .. } => ErrorKind::Usage,
            Self::InputChanged(_) | Self::Thread(_) | Self::Sign(_) | Self::Encode(_) => {
                ErrorKind::Other
            }
            // The content is not a valid archive, or not a valid rotation statement.
            Self::NotAnArchive(_)
            | Self::Component
            | Self::Zip
            | Self::ImageLayout
            | Self::Truncated(_)
            | Self::SeveralMembers
            | Self::DamagedGzip(_)
            | Self::DamagedTar(_)
            | Self::TrailingData
            | Self::TooLarge { .. }
            | Self::EntryTooLarge { .. }
            | Self::ForbiddenName { .. }
            | Self::ForbiddenEntry { .. }
            | Self::DuplicateEntry(_)
            | Self::NoClaims
            | Self::NoExecutables
            | Self::MalformedClaims { .. }
            | Self::Rotation { .. }
            | Self::BadSignature { .. }
            | Self::WrongKeyType { .. }
            | Self::Expired(_)
            | Self::NotYetValid(_)
            | Self::Unclaimed(_)
            | Self::HashMismatch { .. }
            | Self::WorldMissing
            | Self::UnreadableWorld { .. } => ErrorKind::NotVerified,
        }
    }
}
