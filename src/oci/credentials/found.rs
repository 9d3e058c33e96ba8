//! The result of a search for credentials.

use std::time::Instant;

use super::super::error::Error;
use super::secrets::Credentials;

/// The result of a search for credentials.
pub(in crate::oci) struct Found {
    pub(in crate::oci) credentials: Credentials,
    /// The error of a credential helper that failed, when no other source has credentials.
    pub(in crate::oci) failure: Option<Error>,
    /// The time at which the credentials expire, if the source gives one.
    pub(in crate::oci) expires: Option<Instant>,
}

impl From<Credentials> for Found {
    fn from(credentials: Credentials) -> Self {
        Self {
            credentials,
            failure: None,
            expires: None,
        }
    }
}
