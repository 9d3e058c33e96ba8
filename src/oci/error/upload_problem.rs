//! The reasons why a registry does not accept an upload.

use std::fmt;

use super::Answer;

/// The reason why a registry does not accept content. `answer` is the answer of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the documentation of the type and the variants describes the fields"
)]
pub enum UploadProblem {
    /// The repository does not exist, and this client cannot create it.
    NoRepository { answer: Box<Answer> },
    /// The registry, or a proxy in front of it, accepts no request of `size` bytes.
    TooLarge { size: u64, answer: Box<Answer> },
    /// The registry opened this many `uploads` in a row, and did not know each of them in the next request.
    Forgotten { uploads: u32, answer: Box<Answer> },
    /// The URL that the registry gives for the upload has another scheme, host or port (`part`) than the
    /// URL that was `asked`.
    Elsewhere {
        location: String,
        asked: String,
        part: UrlPart,
    },
}

/// A part of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlPart {
    /// `http` or `https`.
    Scheme,
    /// A name or an address.
    Host,
    /// The port, even when it is the default of the scheme.
    Port,
}

impl fmt::Display for UploadProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRepository { answer } => write!(
                formatter,
                "the repository does not exist there, or this account may neither create it nor push \
                 to it ({answer})"
            ),
            Self::TooLarge { size, answer } => write!(
                formatter,
                "{size} bytes in one request are too large ({answer}); the limit is that of the registry, or \
                 of a proxy in front of it"
            ),
            Self::Forgotten { uploads, answer } => write!(
                formatter,
                "it opened {uploads} uploads in a row and did not know them in the next request \
                 ({answer})"
            ),
            Self::Elsewhere {
                location,
                asked,
                part,
            } => write!(
                formatter,
                "the location that it gives for the upload, {location}, has another {part} than {asked}"
            ),
        }
    }
}

impl fmt::Display for UrlPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Scheme => "scheme",
            Self::Host => "host",
            Self::Port => "port",
        })
    }
}
