//! The suite over this crate.

use wasmcloud_par::archive::provider_archive::{ProviderArchive, Result};

#[path = "suite.rs"]
#[allow(clippy::duplicate_mod, reason = "one suite, two crates")]
mod suite;
