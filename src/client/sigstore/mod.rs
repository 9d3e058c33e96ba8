//! Sigstore: verifying that an identity has signed a statement about a manifest.
//!
//! A bundle (`application/vnd.dev.sigstore.bundle.v0.3+json`) holds a signed statement about a manifest, the certificate
//! of the identity that signed it, the entry of the signature in a transparency log, and a timestamp. All of it is verified
//! offline, against a trusted root: the keys and certificates of one instance of Sigstore.
//!
//! A [`SigstoreRule`] is an identity that a policy allows, and a [`SigstoreIdentity`] is a verified identity. Without the
//! feature `sigstore`, no bundle can be verified, and a policy that demands an identity refuses everything.

#[cfg(feature = "sigstore")]
mod artifact;
mod bundle_type;
mod error;
mod identity;
#[cfg(feature = "sigstore")]
mod provider;
mod root;
mod rule;
#[cfg(feature = "sigstore")]
mod verifier;

#[cfg(feature = "sigstore")]
pub(in crate::client) use artifact::{BUNDLE_LIMIT, BundleManifest};
pub(in crate::client) use bundle_type::BUNDLE_TYPE;
pub use error::{BundleError, TrustedRootError};
pub use identity::{LogEntry, SigstoreIdentity};
pub use root::SigstoreRoot;
pub use rule::SigstoreRule;
#[cfg(feature = "sigstore")]
pub(in crate::client) use verifier::BundleVerifier;
