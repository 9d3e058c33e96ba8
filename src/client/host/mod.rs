//! Whether this machine can start an executable.
//!
//! Only certain problems are reported, so that there is no warning about an executable that starts.

mod c_library;
mod libraries;
mod linker_cache;
mod problem;
mod problems;

pub(super) use c_library::{CLibrary, c_libraries};
pub use problem::HostProblem;
pub use problems::host_problems;
pub(super) use problems::{emulated, problems_of};
