//! Keys: the public keys of issuers and subjects, and the seeds that sign archives.

#[cfg(feature = "cli")]
mod directories;
mod key;
mod kind;
mod public_key;
#[cfg(feature = "cli")]
mod seed;

#[cfg(feature = "cli")]
pub(crate) use directories::{KeyDirectories, KeyFile};
pub use key::Key;
pub use kind::KeyKind;
pub use public_key::{Issuer, Subject};
#[cfg(feature = "cli")]
pub(crate) use seed::{GivenKey, KeyOrigin, may_hold_seed};
