//! What a server says when it refuses.

use std::fmt;
use std::time::Duration;

/// What a server answered when it refused: its status, and one line of what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The code of the OCI error envelope, such as `MANIFEST_UNKNOWN`.
    pub code: Option<String>,
    /// What it said, on one line and cut to a readable length.
    pub message: Option<String>,
    /// How long it asks to wait (`Retry-After`).
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HTTP {}", self.status)?;
        for text in [&self.code, &self.message].into_iter().flatten() {
            write!(formatter, ", {text}")?;
        }
        if let Some(wait) = self.retry_after {
            write!(formatter, ", try again in {} s", wait.as_secs())?;
        }
        Ok(())
    }
}
