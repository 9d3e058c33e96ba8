//! Hints for archives that are not trusted.

use crate::client::TrustError;

/// Returns what the user can do about a refusal of the trust policy or of a pin.
pub(super) fn trust_hint(error: &TrustError) -> Option<String> {
    let hint = match error {
        TrustError::NotPinned { what, .. } => {
            return Some(format!(
                "if you trust this publisher, run `par trust accept {what}`"
            ));
        }
        TrustError::IdentityChanged { what, .. } => {
            return Some(format!(
                "ask the publisher about it; if the change is meant, run `par trust accept {what}`"
            ));
        }
        TrustError::Downgrade { what, .. } => {
            return Some(format!(
                "if the rollback is meant, run `par trust accept {what}`, or use the digest of the archive \
                 that you want"
            ));
        }
        TrustError::UntrustedIssuer { rule: None, .. } => {
            "allow the issuer with --issuer if you trust it"
        }
        TrustError::UntrustedIssuer { .. } => {
            "allow the issuer in the trust policy, or with --issuer, if you trust it"
        }
        TrustError::UntrustedSubject { .. } => {
            "add the subject to `subjects` in the trust policy if it belongs there"
        }
        TrustError::TooOld { .. } | TrustError::NoRevision { .. } => {
            "if an older archive is meant, allow it with --min-revision"
        }
        TrustError::NoRule(_) => {
            "add a rule to the trust policy, or allow the issuer with --issuer"
        }
        TrustError::NeverPinned(_) => {
            "add a rule with `pin = \"first-use\"` for the repository to the trust policy"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}
