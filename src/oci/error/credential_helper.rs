//! Errors of Docker's credential helpers.

use std::io;
use std::process::ExitStatus;

/// A failure of a credential helper.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialHelperError {
    /// The helper did not start: it is not installed, or it is not executable.
    #[error("`{program}` cannot be run")]
    Start {
        /// The file name of the helper.
        program: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The pipes to the helper failed.
    #[error("the connection to `{program} {action}` failed")]
    Broken {
        /// The file name of the helper.
        program: String,
        /// The action of the helper, such as `get`.
        action: &'static str,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The helper did not end in time, and the client killed it.
    #[error("`{program} {action}` did not end within {seconds} seconds")]
    TimedOut {
        /// The file name of the helper.
        program: String,
        /// The action of the helper, such as `get`.
        action: &'static str,
        /// The time limit in seconds.
        seconds: u64,
    },
    /// The helper ended with an error.
    #[error("`{program} {action}` failed ({status}){}", with_reason(message))]
    Failed {
        /// The file name of the helper.
        program: String,
        /// The action of the helper, such as `get`.
        action: &'static str,
        /// The exit status of the helper.
        status: ExitStatus,
        /// The message of the helper on one line. It is empty when the helper gave none.
        message: String,
    },
    /// The message of the helper seems to say that it has no credentials for the registry.
    #[error("`{program} get` gave no credentials: {message}")]
    NothingStored {
        /// The file name of the helper.
        program: String,
        /// The message of the helper on one line.
        message: String,
    },
    /// The helper printed too much.
    #[error("`{program} {action}` printed more than {limit} bytes")]
    TooLong {
        /// The file name of the helper.
        program: String,
        /// The action of the helper, such as `get`.
        action: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// The helper printed something other than credentials.
    #[error("`{program} get` did not print credentials")]
    Answer {
        /// The file name of the helper.
        program: String,
    },
}

impl CredentialHelperError {
    /// Returns whether the helper reports that it has no credentials. Some helpers report it only by an exit status,
    /// without a message.
    pub(in crate::oci) fn says_nothing(&self) -> bool {
        match self {
            Self::NothingStored { .. } => true,
            Self::Failed {
                status, message, ..
            } => message.is_empty() && status.code().is_some(),
            _ => false,
        }
    }
}

fn with_reason(message: &str) -> String {
    if message.is_empty() {
        " without a message".to_owned()
    } else {
        format!(": {message}")
    }
}
