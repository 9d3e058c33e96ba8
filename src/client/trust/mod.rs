//! Which publishers are trusted.
//!
//! Three things are asked of claims that verify. May this account publish here, by the
//! [policy](TrustPolicy)? Is this who published here before, by the pin? And is the archive not older
//! than the one that the same tag stood for before? They are asked as soon as the claims are known, so
//! that what is refused is not downloaded; and a pin is made, under a lock, only once an archive or its
//! executable has been verified.

mod error;
mod file;
mod pattern;
mod pins;
#[cfg(test)]
mod tests;

use crate::archive::VerifiedClaims;
use crate::oci::Reference;

pub use error::TrustError;
pub use pattern::{ParsePatternError, Pattern};
pub use pins::pin_name;

/// Which archives may be used, among those that verify.
///
/// Of the rules, the first whose pattern fits a reference counts, and no other. The default is to take
/// any issuer, and to pin on first use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustPolicy {
    /// The public keys of the accounts (`A…`) whose archives may be used, whatever the rules say. Empty:
    /// as the rules say.
    pub issuers: Vec<String>,
    /// The lowest revision that may be used, whatever the rules say. `None`: as the rules say.
    pub minimum_revision: Option<i32>,
    /// What to do about pins, where a rule does not say otherwise. Registries on this machine and image
    /// layouts are not pinned.
    pub pinning: Pinning,
    /// Take another issuer or another subject than the pinned ones, and pin those instead. The revisions
    /// that tags had count for them, too.
    pub accept_identity: bool,
    /// Take a lower revision than a tag had before, and remember that one instead.
    pub allow_downgrade: bool,
    /// Whether a reference that no rule fits is refused. It is not when [`issuers`](Self::issuers) names
    /// some.
    pub deny_others: bool,
    /// What holds where. Local files have no rule.
    pub rules: Vec<Rule>,
}

/// What a policy demands of archives in some repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Which repositories.
    pub pattern: Pattern,
    /// The public keys of the accounts (`A…`) that may publish. Empty: any.
    pub issuers: Vec<String>,
    /// The public keys of the providers (`V…`) that may be there. Empty: any.
    pub subjects: Vec<String>,
    /// The lowest revision that may be used; an archive without one is refused. `None`: any, and none.
    pub minimum_revision: Option<i32>,
    /// What to do about pins, on this machine's registries too. `None`: as the policy says.
    pub pinning: Option<Pinning>,
}

/// What to do about who published before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pinning {
    /// Nothing is pinned, and no pin is asked.
    Off,
    /// Who published what is fetched first is pinned, and from then on nobody else is taken.
    #[default]
    FirstUse,
    /// Only who has been [accepted](super::Client::accept) before is taken.
    Required,
}

impl TrustPolicy {
    /// A policy that refuses nothing: to look at what there is, and not to use it.
    #[must_use]
    pub fn anyone() -> Self {
        Self {
            pinning: Pinning::Off,
            ..Self::default()
        }
    }

    /// The rule for `reference`: the first that fits.
    #[must_use]
    pub fn rule(&self, reference: &Reference) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.pattern.fits(reference))
    }

    /// Checks the claims of what `reference` stands for against the rules. Pins are the client's.
    ///
    /// # Errors
    ///
    /// [`TrustError`].
    pub fn check(&self, claims: &VerifiedClaims, reference: &Reference) -> Result<(), TrustError> {
        let rule = self.rule(reference);
        if rule.is_none() && self.deny_others && self.issuers.is_empty() {
            return Err(TrustError::NoRule(reference.to_string()));
        }
        self.demand(rule, claims, &reference.to_string())
    }

    /// Checks the claims of a local file, which no rule is about. `what` is for the error message.
    ///
    /// # Errors
    ///
    /// [`TrustError`].
    pub fn check_file(&self, claims: &VerifiedClaims, what: &str) -> Result<(), TrustError> {
        self.demand(None, claims, what)
    }

    /// Whether it demands anything of local files.
    #[must_use]
    pub fn restricts_files(&self) -> bool {
        !self.issuers.is_empty() || self.minimum_revision.is_some()
    }

    fn demand(
        &self,
        rule: Option<&Rule>,
        claims: &VerifiedClaims,
        what: &str,
    ) -> Result<(), TrustError> {
        let what = || what.to_owned();
        let (issuers, by) = match rule {
            Some(rule) if self.issuers.is_empty() => (&rule.issuers, Some(&rule.pattern)),
            _ => (&self.issuers, None),
        };
        if !allows(issuers, claims.issuer()) {
            return Err(TrustError::UntrustedIssuer {
                what: what(),
                issuer: claims.issuer().to_owned(),
                rule: by.cloned(),
            });
        }
        if let Some(rule) = rule
            && !allows(&rule.subjects, claims.subject())
        {
            return Err(TrustError::UntrustedSubject {
                what: what(),
                subject: claims.subject().to_owned(),
                rule: rule.pattern.clone(),
            });
        }
        let minimum = self
            .minimum_revision
            .or(rule.and_then(|rule| rule.minimum_revision));
        match (minimum, claims.revision()) {
            (Some(minimum), None) => Err(TrustError::NoRevision {
                what: what(),
                minimum,
            }),
            (Some(minimum), Some(revision)) if revision < minimum => Err(TrustError::TooOld {
                what: what(),
                revision,
                minimum,
            }),
            _ => Ok(()),
        }
    }

    /// What to do about the pin of `reference`.
    fn pinning(&self, reference: &Reference) -> Pinning {
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

fn allows(keys: &[String], key: &str) -> bool {
    keys.is_empty() || keys.iter().any(|allowed| allowed == key)
}
