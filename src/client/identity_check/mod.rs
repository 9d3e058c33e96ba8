//! The check that an allowed Sigstore identity has signed a manifest.
//!
//! A bundle *is accepted* if it verifies for the manifest and a rule allows its identity.

#[cfg(feature = "sigstore")]
mod lists;
mod question;
#[cfg(feature = "sigstore")]
mod search;
#[cfg(feature = "sigstore")]
mod verifiers;

pub(super) use question::IdentityCheck;
