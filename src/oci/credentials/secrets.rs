//! Credentials with which a client authenticates.

use std::fmt;

use super::super::one_line::one_line;

/// Credentials for a registry.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// No credentials.
    Anonymous,
    /// A user and a password. The password may be empty.
    Basic {
        /// The user.
        user: String,
        /// The password, or an access token in place of one.
        password: String,
    },
    /// A token that a token service exchanges for access tokens.
    IdentityToken {
        /// The user that the token belongs to, if the store names one.
        user: Option<String>,
        /// The token.
        token: String,
    },
    /// A token that is sent to the registry without an exchange.
    RegistryToken(String),
}

impl Credentials {
    /// Returns credentials of a user with a password or an access token.
    pub fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic {
            user: user.into(),
            password: password.into(),
        }
    }

    /// Returns a description of the user for messages, such as "user jane".
    pub(crate) fn describe_user(&self) -> String {
        match self {
            Self::Anonymous => "anonymous users".to_owned(),
            Self::Basic { user, .. } if user.is_empty() => "a user without a name".to_owned(),
            Self::Basic { user, .. } => format!("user {}", one_line(user)),
            Self::IdentityToken { .. } => "the stored identity token".to_owned(),
            Self::RegistryToken(_) => "the stored registry token".to_owned(),
        }
    }
}

// Secrets are left out, because debug output may be written to logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("Anonymous"),
            Self::Basic { user, .. } => formatter
                .debug_struct("Basic")
                .field("user", user)
                .finish_non_exhaustive(),
            Self::IdentityToken { .. } => formatter.write_str("IdentityToken(…)"),
            Self::RegistryToken(_) => formatter.write_str("RegistryToken(…)"),
        }
    }
}
