//! Which publishers are trusted.
//!
//! Three questions decide about verified claims. Does the [policy](TrustPolicy) allow this issuer to publish here? Does
//! the pin have the same issuer and subject, which published here before? Is the archive at least as new as the one
//! that the tag named before?
//!
//! An account that a policy revokes is always refused. A rotation statement lets a pin follow its publisher to another
//! account.
//!
//! In addition, a policy can demand that a Sigstore identity vouches for the manifest.
//!
//! The questions are asked as soon as the claims are known, so that a refused archive is not downloaded. A pin is
//! written, under a file lock, only after an archive or its executable has been verified.

mod decision;
mod error;
mod file;
#[cfg(feature = "cli")]
mod files;
mod identities;
mod pattern;
mod pins;
pub(super) mod rotation;
#[cfg(test)]
mod tests;

use crate::archive::{Issuer, Subject};

use super::sigstore::SigstoreRule;

pub use error::TrustError;
pub(super) use error::{revision_text, said};
pub use pattern::{ParsePatternError, Pattern};
pub(super) use pins::Candidate;
#[cfg(feature = "cli")]
pub(crate) use pins::pin_name;

/// Which verified archives may be used.
///
/// The first rule whose pattern matches a reference decides, and no other. The default policy allows any issuer, and
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
    /// The issuers (`A…`) whose archives may be used. They replace the issuers of the rules. Empty: the rules decide.
    pub issuers: Vec<String>,
    /// The lowest revision that may be used. It replaces the lowest revision of the rules. `None`: the rules decide.
    pub minimum_revision: Option<i32>,
    /// How repositories are pinned, where no rule says otherwise. Registries on this machine and image
    /// layouts are not pinned.
    pub pinning: Pinning,
    /// Whether an issuer or a subject that differs from the pinned one is allowed, and pinned instead. The revisions of
    /// the tags in the pin still count.
    pub accept_identity: bool,
    /// Whether a tag may have a lower revision than before. The pin then has the lower revision.
    pub allow_downgrade: bool,
    /// Whether a reference that no rule matches is refused. This has no effect when [`issuers`](Self::issuers) is not
    /// empty.
    pub deny_others: bool,
    /// The rules. Local files have no rule.
    pub rules: Vec<Rule>,
    /// The issuers (`A…`) that are refused even if a rule, a pin or the caller allows them. Their rotation statements
    /// do not count either.
    pub revoked: Vec<String>,
    /// Whether archives that the policy or a pin refuses are used, with a warning, where no rule says otherwise.
    /// Revoked issuers are still refused, and so is what [`issuers`](Self::issuers),
    /// [`minimum_revision`](Self::minimum_revision) and the identities of the policy itself do not allow. Nothing is pinned
    /// to a refused archive.
    pub audit: bool,
    /// When the manifest that was last confirmed for a tag may be used, where no rule says otherwise.
    pub stale: Stale,
    /// The Sigstore identities of which one has to vouch for the manifest. They replace the identities of the rules.
    /// Empty: the rules decide.
    pub identities: Vec<SigstoreRule>,
}

/// When the manifest that was last confirmed for a tag may be used although the registry does not confirm it now. The
/// [`PullPolicy`](super::PullPolicy) must allow it too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "kebab-case")]
pub enum Stale {
    /// When the registry is unavailable.
    #[default]
    Unavailable,
    /// When the registry is unavailable, or denies access, as after credentials have expired. Denied access counts only
    /// for repositories that are pinned or whose rule lists issuers.
    Denied,
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
    /// Whether archives that would be refused are used, with a warning. `None`: the policy decides.
    pub audit: Option<bool>,
    /// When the manifest that was last confirmed for a tag may be used. `None`: the policy decides.
    pub stale: Option<Stale>,
    /// The Sigstore identities of which one has to vouch for the manifest, in addition to the other demands of the
    /// rule. Empty: no identity is demanded.
    pub identities: Vec<SigstoreRule>,
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
    /// Returns a rule that demands nothing of the repositories that `pattern` matches.
    #[must_use]
    pub fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            issuers: Vec::new(),
            subjects: Vec::new(),
            minimum_revision: None,
            pinning: None,
            audit: None,
            stale: None,
            identities: Vec::new(),
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

    /// Allows this Sigstore identity to vouch for the manifest. Without a call, no identity is demanded.
    #[must_use]
    pub fn allow_identity(mut self, identity: SigstoreRule) -> Self {
        self.identities.push(identity);
        self
    }

    /// Refuses archives with a lower revision than `revision`, and archives without a revision.
    #[must_use]
    pub fn minimum_revision(mut self, revision: i32) -> Self {
        self.minimum_revision = Some(revision);
        self
    }

    /// Sets how the repositories are pinned.
    #[must_use]
    pub fn pinning(mut self, pinning: Pinning) -> Self {
        self.pinning = Some(pinning);
        self
    }

    /// Sets whether archives that would be refused are used, with a warning.
    #[must_use]
    pub fn audit(mut self, audit: bool) -> Self {
        self.audit = Some(audit);
        self
    }

    /// Sets when the manifest that was last confirmed for a tag may be used.
    #[must_use]
    pub fn stale(mut self, stale: Stale) -> Self {
        self.stale = Some(stale);
        self
    }
}

impl TrustPolicy {
    /// Returns a policy that refuses nothing, for showing archives. Do not use it to run executables.
    #[must_use]
    pub fn anyone() -> Self {
        Self {
            pinning: Pinning::Off,
            ..Self::default()
        }
    }

    /// Allows this issuer, and no issuers of the rules. Without a call, the rules decide.
    #[must_use]
    pub fn allow_issuer(mut self, issuer: &Issuer) -> Self {
        self.issuers.push(issuer.to_string());
        self
    }

    /// Allows this Sigstore identity to vouch for manifests, and no identities of the rules. Without a call, the rules
    /// decide.
    #[must_use]
    pub fn allow_identity(mut self, identity: SigstoreRule) -> Self {
        self.identities.push(identity);
        self
    }

    /// Sets how repositories are pinned where no rule says otherwise.
    #[must_use]
    pub fn pinning(mut self, pinning: Pinning) -> Self {
        self.pinning = pinning;
        self
    }

    /// Refuses references that no rule matches.
    #[must_use]
    pub fn deny_others(mut self) -> Self {
        self.deny_others = true;
        self
    }

    /// Refuses this issuer, even if the policy or a pin allows it.
    #[must_use]
    pub fn revoke_issuer(mut self, issuer: &Issuer) -> Self {
        self.revoked.push(issuer.to_string());
        self
    }

    /// Sets whether archives that would be refused are used, with a warning, where no rule says otherwise.
    #[must_use]
    pub fn audit(mut self, audit: bool) -> Self {
        self.audit = audit;
        self
    }

    /// Sets when the manifest that was last confirmed for a tag may be used, where no rule says otherwise.
    #[must_use]
    pub fn stale(mut self, stale: Stale) -> Self {
        self.stale = stale;
        self
    }

    /// Appends a rule. The first rule that matches decides.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }
}
