//! Which publishers are trusted.

use crate::archive::VerifiedClaims;

use super::error::Error;

/// Which archives may be used, among those that verify.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustPolicy {
    /// The public keys of the accounts (`A…`) whose archives may be used. Empty: any.
    pub issuers: Vec<String>,
}

impl TrustPolicy {
    /// Checks the claims of `what`, which is for the error message.
    ///
    /// # Errors
    ///
    /// [`Error::UntrustedIssuer`].
    pub fn check(&self, claims: &VerifiedClaims, what: &str) -> Result<(), Error> {
        let trusted =
            self.issuers.is_empty() || self.issuers.iter().any(|key| key == claims.issuer());
        if trusted {
            return Ok(());
        }
        Err(Error::UntrustedIssuer {
            what: what.to_owned(),
            issuer: claims.issuer().to_owned(),
        })
    }
}
