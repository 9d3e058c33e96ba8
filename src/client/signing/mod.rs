//! Signing with Sigstore: a statement about a manifest, signed by the identity of a CI job.
//!
//! ```text
//! session                       one signature: certificate, log entry, timestamp, verified
//! instance                      the services of an instance, from its signing configuration
//! key                           a key that signs once
//! signer                        what a caller gives: a token, an instance, a trusted root
//! token_source                  the tokens of GitHub and GitLab
//! provenance                    the predicate that a CI job says of itself
//! statement, predicate          what is signed
//! token                         a token, and what it says
//! error
//! ```
//!
//! A key is made for each signature and forgotten after it. The certificate authority of the instance gives a certificate
//! that binds it to the identity in the token, the transparency log an entry, and the timestamp authority a time. The bundle of all of
//! that is verified against the trusted root before it leaves this module.

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
