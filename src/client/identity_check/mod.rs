//! Whether a Sigstore identity vouches for a manifest.

#[cfg(feature = "sigstore")]
mod lists;
mod question;
#[cfg(feature = "sigstore")]
mod search;
#[cfg(feature = "sigstore")]
mod verifiers;

pub(super) use question::IdentityCheck;
