//! What an error means for whoever has to act on it.

/// The kind of an error: what a caller, a scheduler or a script can decide on.
///
/// Every error of this crate has a `kind()`; the command line maps it to its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller asked for something that makes no sense; trying again will not help.
    Usage,
    /// A reference, tag, file, target or key does not exist.
    NotFound,
    /// Credentials are missing, wrong or insufficient, or the system denied access to a file.
    Denied,
    /// Content is not what it claims to be: digest, signature, hash, trust policy, malformed archive.
    NotVerified,
    /// The network or the registry failed; trying again may help.
    Unavailable,
    /// The name exists with other content and may not be moved.
    Conflict,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// The name used in machine-readable output.
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

    /// The kind of an input or output error on a local file.
    #[must_use]
    pub fn of_io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::Denied
            }
            // A folder or a device where a file belongs, or a file where a folder does, is a mistake in the
            // arguments.
            std::io::ErrorKind::IsADirectory
            | std::io::ErrorKind::NotADirectory
            | std::io::ErrorKind::InvalidInput => Self::Usage,
            _ => Self::Other,
        }
    }
}
