//! A Sigstore identity that a policy allows.

use std::fmt;

use super::super::wildcard::matches;
use super::error::BundleError;
use super::identity::SigstoreIdentity;
use super::root::SigstoreRoot;

/// A Sigstore identity that a policy allows.
///
/// ```
/// use wasmcloud_par::trust::{Rule, SigstoreRule};
///
/// # fn rule() -> Result<Rule, Box<dyn std::error::Error>> {
/// let workflows = SigstoreRule::new(
///     "https://token.actions.githubusercontent.com",
///     "https://github.com/org/*",
/// );
/// let rule = Rule::new("ghcr.io/org/*".parse()?).allow_identity(workflows);
/// # Ok(rule)
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigstoreRule {
    /// The URL of the OpenID Connect issuer that has authenticated the identity.
    pub issuer: String,
    /// The identity in the certificate, such as the URL of a workflow or a mail address. `*` stands for any characters.
    pub subject: String,
    /// The type that the predicate of the statement must have, such as `https://slsa.dev/provenance/v1`. `None`: any.
    pub predicate: Option<String>,
    /// The instance of Sigstore that must have issued the certificate.
    pub root: SigstoreRoot,
}

impl SigstoreRule {
    /// Returns a rule that allows `subject` of the OpenID Connect issuer `issuer`. In `subject`, `*` stands for any
    /// characters. The certificate must be of the public instance, and the statement may have any predicate type.
    #[must_use]
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            subject: subject.into(),
            predicate: None,
            root: SigstoreRoot::Public,
        }
    }

    /// Demands a statement whose predicate has this type.
    #[must_use]
    pub fn predicate(mut self, predicate: impl Into<String>) -> Self {
        self.predicate = Some(predicate.into());
        self
    }

    /// Demands a certificate of this instance.
    #[must_use]
    pub fn root(mut self, root: SigstoreRoot) -> Self {
        self.root = root;
        self
    }

    /// Returns an error unless this rule allows `identity`, which was verified against the root of the rule.
    #[cfg_attr(
        not(feature = "sigstore"),
        allow(dead_code, reason = "no identity can be verified without the feature")
    )]
    pub(in crate::client) fn check(&self, identity: &SigstoreIdentity) -> Result<(), BundleError> {
        if self.issuer != identity.issuer || !matches(&self.subject, &identity.subject) {
            return Err(BundleError::OtherIdentity {
                issuer: identity.issuer.clone(),
                subject: identity.subject.clone(),
            });
        }
        match &self.predicate {
            Some(predicate) if *predicate != identity.predicate => {
                Err(BundleError::OtherPredicate {
                    predicate: identity.predicate.clone(),
                })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for SigstoreRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (issuer, subject) = (self.issuer.escape_debug(), self.subject.escape_debug());
        write!(formatter, "{subject} of {issuer}")
    }
}

#[cfg(test)]
#[path = "tests/rule.rs"]
mod tests;
