//! Errors of proxies.

use crate::content::ErrorKind;

use super::TlsProblem;

/// A failure of a proxy, or of its configuration. `proxy` is the URL of the proxy without user and password, and
/// `named_by` the environment variable or the file that names it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The value of an environment variable is not the URL of a proxy.
    #[error("the variable {variable} does not name a proxy: {reason}")]
    Variable {
        /// The name of the variable.
        variable: String,
        /// What is wrong with its value. The value itself may contain a password and is left out.
        reason: &'static str,
    },
    /// A connection to the registry could not be established through the proxy.
    #[error("{registry} cannot be reached through the proxy {proxy}, which {named_by} names")]
    Unreachable {
        /// The host of the registry as in references.
        registry: String,
        /// The URL of the proxy.
        proxy: String,
        /// The environment variable or the file that names the proxy.
        named_by: String,
        /// The error of the connection.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The TLS handshake with the proxy itself failed.
    #[error("no secure connection to the proxy {proxy}, which {named_by} names: {problem}")]
    Tls {
        /// The URL of the proxy.
        proxy: String,
        /// The environment variable or the file that names the proxy.
        named_by: String,
        /// Why the handshake failed.
        problem: TlsProblem,
        /// The error of the connection.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The proxy demands a user and a password, or refuses those in its URL.
    #[error("the proxy {proxy}, which {named_by} names, demands a user and a password (HTTP 407)")]
    Denied {
        /// The URL of the proxy.
        proxy: String,
        /// The environment variable or the file that names the proxy.
        named_by: String,
    },
}

impl ProxyError {
    /// Returns the kind of this error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Variable { .. } => ErrorKind::Usage,
            Self::Unreachable { .. } => ErrorKind::Unavailable,
            Self::Tls { problem, .. } => problem.kind(),
            Self::Denied { .. } => ErrorKind::Denied,
        }
    }
}
