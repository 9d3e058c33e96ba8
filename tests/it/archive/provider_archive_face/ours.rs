//! The suite over this crate.

use wasmcloud_par::compat::{ProviderArchive, Result};

#[path = "suite.rs"]
#[allow(clippy::duplicate_mod, reason = "one suite, two crates")]
mod suite;
