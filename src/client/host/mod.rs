//! Whether this machine can start an executable.
//!
//! What cannot be found out is no problem: nothing that starts is warned of.

mod c_library;
mod libraries;
mod linker_cache;
mod problem;
mod problems;

pub(super) use c_library::{CLibrary, c_libraries};
pub use problem::HostProblem;
pub use problems::host_problems;
pub(super) use problems::{emulated, problems_of};
