//! Deciding about an archive in a file.

use crate::archive::VerifiedClaims;
use crate::oci::Reference;

use super::super::sigstore::SigstoreRule;
use super::{Rule, TrustError, TrustPolicy};

impl TrustPolicy {
    /// Checks the claims of an archive in a file by the rules. Rules are about repositories, and a file is in none. So
    /// the archive has to satisfy any one of the rules that demand something. Returns that rule. `what` is the file in
    /// the error message.
    pub(crate) fn check_anywhere(
        &self,
        claims: &VerifiedClaims,
        what: &str,
    ) -> Result<Option<&Rule>, TrustError> {
        self.check_file(claims, what)?;
        refuse_identities(&self.identities, what)?;
        match self.demand_any(claims, what) {
            Ok(rule) => Ok(rule),
            Err(refusal) => self.warn_or_refuse(None, refusal).map(|()| None),
        }
    }

    /// Returns the first rule that demands something and is satisfied, or `None` if no rule demands anything.
    fn demand_any(&self, claims: &VerifiedClaims, what: &str) -> Result<Option<&Rule>, TrustError> {
        if self.rules.is_empty() && self.deny_others && self.issuers.is_empty() {
            return Err(TrustError::NoRule(what.to_owned()));
        }
        let mut refusals = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.demands()) {
            let claims_allowed = self.check_rule(rule, claims, what);
            match claims_allowed.and_then(|()| refuse_identities(&rule.identities, what)) {
                Ok(()) => return Ok(Some(rule)),
                Err(error) => refusals.push(error),
            }
        }
        // The error of a rule that allows the issuer explains best why the archive is refused.
        let is_about_issuer =
            |error: &TrustError| matches!(error, TrustError::UntrustedIssuer { .. });
        let several = refusals.len() > 1;
        let position = refusals.iter().position(|error| !is_about_issuer(error));
        match refusals.into_iter().nth(position.unwrap_or(0)) {
            None => Ok(None),
            Some(TrustError::UntrustedIssuer { what, issuer, .. }) if several => {
                let rule = None;
                Err(TrustError::UntrustedIssuer { what, issuer, rule })
            }
            Some(refusal) => Err(refusal),
        }
    }
}

/// Refuses a file if a Sigstore identity is demanded: an identity vouches for a manifest, and a file has none.
fn refuse_identities(identities: &[SigstoreRule], what: &str) -> Result<(), TrustError> {
    if identities.is_empty() {
        return Ok(());
    }
    Err(TrustError::IdentityOfFile(what.to_owned()))
}

impl TrustPolicy {
    /// Checks the claims of the archive in the file `what` as if `reference` named it. Pins are not compared.
    pub(crate) fn check_as(
        &self,
        claims: &VerifiedClaims,
        reference: &Reference,
        what: &str,
    ) -> Result<(), TrustError> {
        self.check(claims, reference)?;
        refuse_identities(self.identities(reference), what)
    }
}

impl Rule {
    /// Returns whether the rule demands anything besides a pin.
    fn demands(&self) -> bool {
        !self.issuers.is_empty()
            || !self.subjects.is_empty()
            || self.minimum_revision.is_some()
            || !self.identities.is_empty()
    }
}
