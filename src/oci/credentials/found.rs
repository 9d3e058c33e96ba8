//! What a search for credentials gives.

use std::time::Instant;

use super::super::error::Error;
use super::secrets::Credentials;

/// What a search for credentials gives.
pub(in crate::oci) struct Found {
    pub(in crate::oci) credentials: Credentials,
    /// The error of a credential helper that failed, when no other source has credentials.
    pub(in crate::oci) failure: Option<Error>,
    /// When the credentials expire, as far as the source says so.
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
