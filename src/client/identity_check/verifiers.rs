//! The rules of a policy, each with the verifier of its trusted root.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::content::Digest;

use super::super::sigstore::{
    BundleError, BundleVerifier, SigstoreIdentity, SigstoreRoot, SigstoreRule, TrustedRootError,
};

/// The rules, each with the verifier of its trusted root.
#[derive(Clone)]
pub(super) struct Verifiers(Arc<[(SigstoreRule, Arc<BundleVerifier>)]>);

impl Verifiers {
    /// Reads the trusted root of each rule once. Blocks.
    pub(super) fn new(rules: &[SigstoreRule]) -> Result<Self, TrustedRootError> {
        let mut roots: BTreeMap<&SigstoreRoot, Arc<BundleVerifier>> = BTreeMap::new();
        let mut verifiers = Vec::new();
        for rule in rules {
            let verifier = match roots.get(&rule.root) {
                Some(verifier) => Arc::clone(verifier),
                None => {
                    let verifier = Arc::new(BundleVerifier::new(&rule.root)?);
                    roots.insert(&rule.root, Arc::clone(&verifier));
                    verifier
                }
            };
            verifiers.push((rule.clone(), verifier));
        }
        Ok(Self(verifiers.into()))
    }

    /// Returns the identity of a bundle if a rule allows it. The error is the one that helps most: a rule whose trusted root
    /// has verified the bundle, but which does not allow the identity or the predicate, comes before all others.
    pub(super) fn verify(
        &self,
        bundle: &[u8],
        manifest: &Digest,
    ) -> Result<SigstoreIdentity, BundleError> {
        let mut refusal = None;
        for (rule, verifier) in self.0.iter() {
            let verified = verifier.verify(bundle, manifest);
            match verified.and_then(|identity| rule.check(&identity).map(|()| identity)) {
                Ok(identity) => return Ok(identity),
                Err(error) => {
                    let says_more = matches!(
                        error,
                        BundleError::OtherIdentity { .. } | BundleError::OtherPredicate { .. }
                    );
                    if says_more || refusal.is_none() {
                        refusal = Some(error);
                    }
                }
            }
        }
        Err(refusal.unwrap_or_else(|| BundleError::Unsupported("no rule allows any".into())))
    }
}
