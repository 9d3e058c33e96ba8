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
    /// The helper did not end in time, and was ended.
    #[error("`{program} {action}` did not end within {seconds} seconds")]
    TimedOut {
        /// The file name of the helper.
        program: String,
        /// The action of the helper, such as `get`.
        action: &'static str,
        /// The time that a helper has, in seconds.
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
        /// The message of the helper on one line; empty when it gave none.
        message: String,
    },
    /// The helper says, in words of its own, that it holds no credentials for the registry.
    #[error("`{program} get` gave no credentials: {message}")]
    NothingStored {
        /// The file name of the helper.
        program: String,
        /// The message of the helper on one line.
        message: String,
    },
    /// The helper printed more than is read.
    #[error("`{program} {action}` printed more than {limit} bytes")]
    TooLong {
        /// The file name of the helper.
        program: String,
        /// The action of the helper, such as `get`.
        action: &'static str,
        /// The most that is read, in bytes.
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
    /// Returns whether the helper says that it holds no credentials. Some helpers say it with an exit status alone.
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
