//! The Sigstore identity in an entry of a lock.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::sigstore::{SigstoreIdentity, SigstoreRoot, SigstoreRule};
use super::super::wildcard::matches;

/// The Sigstore identity that vouched for an archive when it was locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct LockedIdentity {
    /// The URL of the OpenID Connect issuer that has authenticated the identity.
    pub issuer: String,
    /// The identity in the certificate, such as the URL of a workflow or a mail address.
    pub subject: String,
    /// The instance of Sigstore that issued the certificate.
    pub root: LockedRoot,
}

/// The instance of Sigstore in an entry of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "lowercase")]
pub enum LockedRoot {
    /// The public instance.
    Public,
    /// The instance of GitHub.
    GitHub,
    /// Another instance. The trust policy of each machine names the file with its trusted root.
    Other,
}

/// The text before the tag in the subject of a workflow that ran for a tag.
const TAG: &str = "@refs/tags/";

impl LockedIdentity {
    /// Returns rules that allow only this identity. They are the rules in `allowed` that allow it, narrowed to it. If
    /// `allowed` is empty, the policy has no rules about identities. The result is empty if the policy does not allow this
    /// identity, or if its trusted root is unknown.
    pub(in crate::client) fn rules(&self, allowed: &[SigstoreRule]) -> Vec<SigstoreRule> {
        let only = |root: &SigstoreRoot| {
            SigstoreRule::new(&*self.issuer, &*self.subject).root(root.clone())
        };
        if allowed.is_empty() {
            return match self.root {
                LockedRoot::Public => vec![only(&SigstoreRoot::Public)],
                LockedRoot::GitHub => vec![only(&SigstoreRoot::GitHub)],
                LockedRoot::Other => Vec::new(),
            };
        }
        let is_same = |rule: &&SigstoreRule| {
            rule.issuer == self.issuer
                && matches(&rule.subject, &self.subject)
                && LockedRoot::of(&rule.root) == self.root
        };
        let narrowed = allowed.iter().filter(is_same).map(|rule| SigstoreRule {
            predicate: rule.predicate.clone(),
            ..only(&rule.root)
        });
        narrowed.collect()
    }

    /// Whether this is the same identity as `identity`, which has signed a manifest.
    pub(in crate::client) fn is(&self, identity: &SigstoreIdentity) -> bool {
        *self == Self::from(identity)
    }

    /// Whether `next` may replace this identity without the user's consent. For a workflow that runs for tags, the tags may
    /// differ, because each release has its own tag.
    pub(super) fn continues_as(&self, next: &Self) -> bool {
        (&self.issuer, self.root, without_tag(&self.subject))
            == (&next.issuer, next.root, without_tag(&next.subject))
    }
}

/// Returns the subject of a workflow without the tag that it ran for. Returns any other subject unchanged.
fn without_tag(subject: &str) -> &str {
    match subject.find(TAG) {
        Some(at) if subject.starts_with("https://") => {
            subject.get(..at + TAG.len()).unwrap_or(subject)
        }
        _ => subject,
    }
}

impl LockedRoot {
    fn of(root: &SigstoreRoot) -> Self {
        match root {
            SigstoreRoot::Public => Self::Public,
            SigstoreRoot::GitHub => Self::GitHub,
            SigstoreRoot::File(_) => Self::Other,
        }
    }
}

impl From<&SigstoreIdentity> for LockedIdentity {
    fn from(identity: &SigstoreIdentity) -> Self {
        Self {
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            root: LockedRoot::of(&identity.root),
        }
    }
}

impl fmt::Display for LockedIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (issuer, subject) = (self.issuer.escape_debug(), self.subject.escape_debug());
        write!(formatter, "{subject} of {issuer}")?;
        match self.root {
            LockedRoot::Public => Ok(()),
            LockedRoot::GitHub => formatter.write_str(" (instance of GitHub)"),
            LockedRoot::Other => formatter.write_str(" (another instance)"),
        }
    }
}

#[cfg(test)]
#[path = "tests/identity.rs"]
mod tests;
