//! Kinds of errors.

/// The kind of an error, on which a caller, a scheduler or a script can decide what to do.
///
/// Every error of this crate has a `kind()`. The exit code of the command follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The arguments make no sense. Trying again does not help.
    Usage,
    /// A reference, tag, file, target or key does not exist.
    NotFound,
    /// Credentials are missing, wrong or insufficient, or the system denied access to a file.
    Denied,
    /// Content is not what it claims to be: digest, signature, hash, trust policy, malformed archive.
    NotVerified,
    /// The network or the registry failed. Trying again may help.
    Unavailable,
    /// The name exists with other content, or belongs to another publisher, and must not be moved.
    Conflict,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Returns the name that machine-readable output uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Denied => "denied",
            Self::NotVerified => "not_verified",
            Self::Unavailable => "unavailable",
            Self::Conflict => "conflict",
            Self::Other => "other",
        }
    }

    /// Returns the kind of an input or output error on a local file.
    pub(crate) fn of_io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::Denied
            }
            // The arguments name a directory or a device instead of a file, or a file instead of a directory, or a
            // name is too long.
            std::io::ErrorKind::IsADirectory
            | std::io::ErrorKind::NotADirectory
            | std::io::ErrorKind::InvalidInput
            | std::io::ErrorKind::InvalidFilename => Self::Usage,
            _ => Self::Other,
        }
    }
}
