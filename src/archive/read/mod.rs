//! Reading and verifying an archive.
//!
//! `scan.rs` checks everything in one pass. `extract.rs` keeps executables during that pass. `ranged.rs` extracts one
//! executable by the index. `parallel/` verifies a file on all cores.

mod extract;
mod parallel;
mod ranged;
mod scan;

pub(super) use extract::Spool;
pub(crate) use extract::extract_chosen;
pub use extract::{Loaded, extract, load};
pub use parallel::verify_file;
pub(crate) use parallel::verify_file_with;
pub use ranged::extract_file;
pub(crate) use ranged::{read_head, write_executable};
pub(super) use scan::scan;
pub use scan::{Contents, read_claims, verify};
pub(crate) use scan::{read_claims_with, verify_with};
