//! The answer of a server to a refused request.

use std::fmt;
use std::time::Duration;

/// The answer of a server that refused a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The error code in the body (OCI distribution specification, "Error Codes"), such as `MANIFEST_UNKNOWN`.
    pub code: Option<String>,
    /// The message of the server, on one line and shortened.
    pub message: Option<String>,
    /// The time that the server asks the client to wait (`Retry-After`).
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
