//! The decisions of a policy about verified claims.

use crate::archive::VerifiedClaims;
use crate::oci::Reference;

use super::super::sigstore::SigstoreRule;
use super::{Pinning, Rule, Stale, TrustError, TrustPolicy};

impl TrustPolicy {
    /// Returns the first rule that matches `reference`.
    pub(crate) fn rule(&self, reference: &Reference) -> Option<&Rule> {
        self.rules
            .iter()
            .find(|rule| rule.pattern.matches(reference))
    }

    /// Returns the Sigstore identities of which one has to vouch for the manifest that `reference` names. Empty: no
    /// identity is demanded.
    pub(in crate::client) fn identities(&self, reference: &Reference) -> &[SigstoreRule] {
        if !self.identities.is_empty() {
            return &self.identities;
        }
        self.rule(reference).map_or(&[], |rule| &rule.identities)
    }

    /// Checks the claims of the archive that `reference` names. Pins are not compared.
    pub(crate) fn check(
        &self,
        claims: &VerifiedClaims,
        reference: &Reference,
    ) -> Result<(), TrustError> {
        let rule = self.rule(reference);
        let what = &reference.to_string();
        self.check_revoked(claims, what)?;
        // The rules come last: where the policy audits, the first refusal by a rule is a warning, and ends the check.
        self.check_demands(claims, what)?;
        match rule {
            Some(rule) => self.check_rule(rule, claims, what),
            None if self.deny_others && self.issuers.is_empty() => {
                Err(TrustError::NoRule(what.to_owned()))
            }
            None => Ok(()),
        }
    }

    /// Checks the claims of a local file, for which there are no rules. `what` is the file in the error message.
    ///
    /// # Errors
    ///
    /// [`TrustError`].
    pub fn check_file(&self, claims: &VerifiedClaims, what: &str) -> Result<(), TrustError> {
        let checked = self
            .check_revoked(claims, what)
            .and_then(|()| self.check_demands(claims, what));
        checked.or_else(|error| self.warn_or_refuse(None, error))
    }

    /// Refuses a publisher that is revoked.
    fn check_revoked(&self, claims: &VerifiedClaims, what: &str) -> Result<(), TrustError> {
        let issuer = claims.issuer();
        if self
            .revoked
            .iter()
            .any(|revoked| revoked == issuer.as_str())
        {
            return Err(TrustError::Revoked {
                what: what.to_owned(),
                issuer: issuer.to_string(),
            });
        }
        Ok(())
    }

    /// Returns whether the policy only warns of this refusal. `reference` is `None` for a local file.
    pub(in crate::client) fn audits(
        &self,
        reference: Option<&Reference>,
        refusal: &TrustError,
    ) -> bool {
        let rule = reference.and_then(|reference| self.rule(reference));
        let audit = rule.and_then(|rule| rule.audit).unwrap_or(self.audit);
        let is_absolute = matches!(
            refusal,
            TrustError::Revoked { .. }
                | TrustError::NeverPinned(_)
                | TrustError::TrustedRoot(_)
                | TrustError::SigstoreNotBuilt(_)
        );
        audit && !is_absolute && !self.is_demanded_by_caller(refusal)
    }

    /// Returns this policy without its audits: it refuses what it would only warn of.
    pub(in crate::client) fn without_audit(&self) -> Self {
        let mut policy = self.clone();
        policy.audit = false;
        for rule in &mut policy.rules {
            rule.audit = None;
        }
        policy
    }

    /// Returns whether the refusal is about a demand that the caller has put in place of those of the rules.
    fn is_demanded_by_caller(&self, refusal: &TrustError) -> bool {
        match refusal {
            TrustError::UntrustedIssuer { .. } => !self.issuers.is_empty(),
            TrustError::TooOld { .. } | TrustError::NoRevision { .. } => {
                self.minimum_revision.is_some()
            }
            TrustError::NoBundle { .. }
            | TrustError::UntrustedIdentity { .. }
            | TrustError::UnknownIdentity { .. }
            | TrustError::IdentityNotCached(_)
            | TrustError::IdentityOfFile(_) => !self.identities.is_empty(),
            _ => false,
        }
    }

    /// Logs a refusal as a warning where the policy only audits. Returns it as an error elsewhere.
    pub(in crate::client) fn warn_or_refuse(
        &self,
        reference: Option<&Reference>,
        refusal: TrustError,
    ) -> Result<(), TrustError> {
        if !self.audits(reference, &refusal) {
            return Err(refusal);
        }
        tracing::warn!("allowed, because the trust policy audits: {refusal}");
        Ok(())
    }

    /// Returns whether the manifest that was last confirmed for `reference` may be used when the registry denies
    /// access. `pinned` says whether the repository is pinned.
    pub(in crate::client) fn allows_denied(&self, reference: &Reference, pinned: bool) -> bool {
        let rule = self.rule(reference);
        let stale = rule.and_then(|rule| rule.stale).unwrap_or(self.stale);
        let known = pinned || rule.is_some_and(|rule| !rule.issuers.is_empty());
        stale == Stale::Denied && known
    }

    /// Returns whether the policy demands anything of local files.
    #[must_use]
    pub fn restricts_files(&self) -> bool {
        !self.issuers.is_empty() || self.minimum_revision.is_some() || !self.revoked.is_empty()
    }

    /// Checks what the caller demands in place of the rules.
    fn check_demands(&self, claims: &VerifiedClaims, what: &str) -> Result<(), TrustError> {
        if !allows(&self.issuers, claims.issuer().as_str()) {
            return Err(TrustError::UntrustedIssuer {
                what: what.to_owned(),
                issuer: claims.issuer().to_string(),
                rule: None,
            });
        }
        check_revision(self.minimum_revision, claims, what)
    }

    /// Checks what a rule demands, where the caller demands nothing else in its place.
    pub(super) fn check_rule(
        &self,
        rule: &Rule,
        claims: &VerifiedClaims,
        what: &str,
    ) -> Result<(), TrustError> {
        if self.issuers.is_empty() && !allows(&rule.issuers, claims.issuer().as_str()) {
            return Err(TrustError::UntrustedIssuer {
                what: what.to_owned(),
                issuer: claims.issuer().to_string(),
                rule: Some(rule.pattern.clone()),
            });
        }
        if !allows(&rule.subjects, claims.subject().as_str()) {
            return Err(TrustError::UntrustedSubject {
                what: what.to_owned(),
                subject: claims.subject().to_string(),
                rule: rule.pattern.clone(),
            });
        }
        match self.minimum_revision {
            Some(_) => Ok(()),
            None => check_revision(rule.minimum_revision, claims, what),
        }
    }

    /// Returns how the repository of `reference` is pinned.
    pub(super) fn pinning_of(&self, reference: &Reference) -> Pinning {
        let Reference::Registry(place) = reference else {
            return Pinning::Off;
        };
        match self.rule(reference).and_then(|rule| rule.pinning) {
            Some(pinning) => pinning,
            None if place.is_loopback() => Pinning::Off,
            None => self.pinning,
        }
    }
}

/// Refuses an archive whose revision is lower than `minimum`, or that has none.
fn check_revision(
    minimum: Option<i32>,
    claims: &VerifiedClaims,
    what: &str,
) -> Result<(), TrustError> {
    let what = what.to_owned();
    match (minimum, claims.revision()) {
        (Some(minimum), None) => Err(TrustError::NoRevision { what, minimum }),
        (Some(minimum), Some(revision)) if revision < minimum => Err(TrustError::TooOld {
            what,
            revision,
            minimum,
        }),
        _ => Ok(()),
    }
}

fn allows(keys: &[String], key: &str) -> bool {
    keys.is_empty() || keys.iter().any(|allowed| allowed == key)
}
