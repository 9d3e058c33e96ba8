//! The suite over the `provider-archive` crate, which shows that it asserts what that crate does.

use provider_archive::{ProviderArchive, Result};

#[path = "suite.rs"]
#[allow(clippy::duplicate_mod, reason = "one suite, two crates")]
mod suite;
