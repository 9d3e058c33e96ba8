//! Signing with Sigstore: a statement about a manifest, signed by the identity of a CI job.
//!
//! ```text
//! session                       makes a signature: certificate, log entry, timestamp; then verifies it
//! instance                      the services of an instance, from its signing configuration
//! key                           a key for one signature
//! signer                        the caller's options: a token source, an instance, a trusted root
//! token_source                  gets tokens in jobs of GitHub Actions and GitLab
//! provenance                    the SLSA provenance of a CI job
//! statement, predicate          the signed statement and its predicate
//! token                         an identity token and its claims
//! error                         the reasons why signing fails
//! ```
//!
//! The session makes a new key for each signature and drops it afterwards. The certificate authority of the instance
//! issues a certificate that binds the key to the identity in the token. The transparency log returns an entry for the
//! signature, and the timestamp authority returns a timestamp. The session puts all of that into a bundle, and verifies
//! the bundle against the trusted root before it returns it.

mod error;
#[cfg(feature = "sigstore")]
mod instance;
#[cfg(feature = "sigstore")]
mod key;
#[cfg(not(feature = "sigstore"))]
mod no_session;
mod predicate;
mod provenance;
#[cfg(feature = "sigstore")]
mod session;
mod signer;
#[cfg(feature = "sigstore")]
mod statement;
mod token;
mod token_source;

pub use error::SigningError;
#[cfg(not(feature = "sigstore"))]
pub(super) use no_session::{SignedBundle, SigningSession};
pub use predicate::Predicate;
#[cfg(feature = "sigstore")]
pub(super) use session::{SignedBundle, SigningSession};
pub use signer::SigstoreSigner;
pub use token::IdentityToken;
pub use token_source::{GitHubTokens, TokenSource};
