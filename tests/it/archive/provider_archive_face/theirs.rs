//! The suite over the `provider-archive` crate. It shows that the assertions hold for that crate.

use provider_archive::{ProviderArchive, Result};

#[path = "suite.rs"]
#[allow(clippy::duplicate_mod, reason = "one suite, two crates")]
mod suite;
