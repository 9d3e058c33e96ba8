//! Which publishers are trusted.
//!
//! Three questions decide about verified claims. May this issuer publish here, by the [policy](TrustPolicy)? Are
//! the issuer and the subject those that published here before, by the pin? And is the archive not older than the
//! one that the tag stood for before?
//!
//! They are asked as soon as the claims are known, so that a refused archive is not downloaded. A pin is written,
//! under a file lock, only after an archive or its executable has been verified.

mod error;
mod file;
#[cfg(feature = "cli")]
mod files;
mod pattern;
mod pins;
#[cfg(test)]
mod tests;

use crate::archive::{Issuer, Subject, VerifiedClaims};
use crate::oci::Reference;

pub use error::TrustError;
pub(super) use error::revision_text;
pub use pattern::{ParsePatternError, Pattern};
#[cfg(feature = "cli")]
pub(crate) use pins::pin_name;

/// Which verified archives may be used.
///
/// The first rule whose pattern fits a reference decides, and no other. The default policy allows any issuer, and
/// pins on first use.
///
/// ```
/// use wasmcloud_par::trust::{Rule, TrustPolicy};
///
/// # fn policy() -> Result<TrustPolicy, Box<dyn std::error::Error>> {
/// let rule = Rule::new("ghcr.io/org/*".parse()?).minimum_revision(3);
/// let policy = TrustPolicy::default().with_rule(rule);
/// # Ok(policy)
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustPolicy {
    /// The issuers (`A…`) whose archives may be used, whatever the rules say. Empty: the rules decide.
    pub issuers: Vec<String>,
    /// The lowest revision that may be used, whatever the rules say. `None`: the rules decide.
    pub minimum_revision: Option<i32>,
    /// How repositories are pinned, where no rule says otherwise. Registries on this machine and image
    /// layouts are not pinned.
    pub pinning: Pinning,
    /// Whether another issuer or another subject than the pinned one is allowed, and pinned instead. The
    /// revisions that the tags had still count.
    pub accept_identity: bool,
    /// Whether a tag may have a lower revision than before. The lower one is remembered instead.
    pub allow_downgrade: bool,
    /// Whether a reference that no rule fits is refused. This has no effect when [`issuers`](Self::issuers) is not
    /// empty.
    pub deny_others: bool,
    /// The rules. Local files have no rule.
    pub rules: Vec<Rule>,
}

/// What a policy demands of the archives in some repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The repositories that the rule is about.
    pub pattern: Pattern,
    /// The issuers (`A…`) that may publish there. Empty: any.
    pub issuers: Vec<String>,
    /// The subjects (`V…`) that may be published there. Empty: any.
    pub subjects: Vec<String>,
    /// The lowest revision that may be used. An archive without a revision is refused. `None`: no revision is
    /// required.
    pub minimum_revision: Option<i32>,
    /// How the repositories are pinned, even those of registries on this machine. `None`: the policy decides.
    pub pinning: Option<Pinning>,
}

/// How a repository is pinned to the issuer and the subject that published there before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "kebab-case")]
pub enum Pinning {
    /// Nothing is pinned, and pins are not compared.
    Off,
    /// The first fetch pins the repository. From then on, every other issuer or subject is refused.
    #[default]
    FirstUse,
    /// An archive is refused unless its issuer and its subject have been
    /// [accepted](super::Client::accept) before.
    Required,
}

impl Rule {
    /// Returns a rule that demands nothing of the repositories that fit `pattern`.
    #[must_use]
    pub fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            issuers: Vec::new(),
            subjects: Vec::new(),
            minimum_revision: None,
            pinning: None,
        }
    }

    /// Allows this issuer. Without a call, any issuer is allowed.
    #[must_use]
    pub fn allow_issuer(mut self, issuer: &Issuer) -> Self {
        self.issuers.push(issuer.to_string());
        self
    }

    /// Allows this subject. Without a call, any subject is allowed.
    #[must_use]
    pub fn allow_subject(mut self, subject: &Subject) -> Self {
        self.subjects.push(subject.to_string());
        self
    }

    /// Refuses archives with a lower revision, and archives without one.
    #[must_use]
    pub fn minimum_revision(mut self, revision: i32) -> Self {
        self.minimum_revision = Some(revision);
        self
    }

    /// Pins the repositories in this way.
    #[must_use]
    pub fn pinning(mut self, pinning: Pinning) -> Self {
        self.pinning = Some(pinning);
        self
    }
}

impl TrustPolicy {
    /// Returns a policy that refuses nothing. It is for looking at archives, not for using them.
    #[must_use]
    pub fn anyone() -> Self {
        Self {
            pinning: Pinning::Off,
            ..Self::default()
        }
    }

    /// Allows this issuer, whatever the rules say. Without a call, the rules decide.
    #[must_use]
    pub fn allow_issuer(mut self, issuer: &Issuer) -> Self {
        self.issuers.push(issuer.to_string());
        self
    }

    /// Pins repositories in this way where no rule says otherwise.
    #[must_use]
    pub fn pinning(mut self, pinning: Pinning) -> Self {
        self.pinning = pinning;
        self
    }

    /// Refuses references that no rule fits.
    #[must_use]
    pub fn deny_others(mut self) -> Self {
        self.deny_others = true;
        self
    }

    /// Appends a rule. The first rule that fits decides.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Returns the first rule that fits `reference`.
    pub(crate) fn rule(&self, reference: &Reference) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.pattern.fits(reference))
    }

    /// Checks the claims of the archive that `reference` names. Pins are not compared.
    pub(crate) fn check(
        &self,
        claims: &VerifiedClaims,
        reference: &Reference,
    ) -> Result<(), TrustError> {
        let rule = self.rule(reference);
        if rule.is_none() && self.deny_others && self.issuers.is_empty() {
            return Err(TrustError::NoRule(reference.to_string()));
        }
        self.demand(rule, claims, &reference.to_string())
    }

    /// Checks the claims of a local file, for which there are no rules. `what` is the file in the error message.
    ///
    /// # Errors
    ///
    /// [`TrustError`].
    pub fn check_file(&self, claims: &VerifiedClaims, what: &str) -> Result<(), TrustError> {
        self.demand(None, claims, what)
    }

    /// Whether the policy demands anything of local files.
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
        if !allows(issuers, claims.issuer().as_str()) {
            return Err(TrustError::UntrustedIssuer {
                what: what(),
                issuer: claims.issuer().to_string(),
                rule: by.cloned(),
            });
        }
        if let Some(rule) = rule
            && !allows(&rule.subjects, claims.subject().as_str())
        {
            return Err(TrustError::UntrustedSubject {
                what: what(),
                subject: claims.subject().to_string(),
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

    /// Returns how the repository of `reference` is pinned.
    fn pinning_of(&self, reference: &Reference) -> Pinning {
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
