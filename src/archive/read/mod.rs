//! Reading and verifying an archive.
//!
//! `scan.rs` is the one pass that checks everything. `extract.rs` keeps executables during that pass,
//! `ranged.rs` takes one executable by the index, and `parallel/` verifies a file on all cores.

mod contents;
mod extract;
mod parallel;
mod ranged;
mod scan;

pub use contents::Contents;
pub(super) use extract::Spool;
pub use extract::{Loaded, extract, load};
pub use parallel::verify_file;
pub use ranged::extract_file;
pub(crate) use ranged::{read_head, write_executable};
pub(super) use scan::{Dates, scan};
pub use scan::{read_claims, verify};
