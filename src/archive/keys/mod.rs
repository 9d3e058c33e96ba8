//! Keys: the public ones that name issuers and subjects, and the seeds that archives are signed with.

mod directories;
mod kind;
mod public_key;
mod seed;

pub use directories::{KeyDirectories, KeyFile};
pub use kind::{KeyKind, KeyOrigin};
pub use public_key::{Issuer, Subject};
