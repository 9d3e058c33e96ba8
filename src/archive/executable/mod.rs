//! The facts in the headers of an executable: its format and processors, and what a host must have to start it.

mod arm_attributes;
mod collect;
mod elf;
mod facts;
mod file_parts;
#[cfg_attr(
    not(feature = "cli"),
    allow(
        dead_code,
        reason = "only the command packs executables by their header"
    )
)]
mod header;
mod macho;
mod pe;
mod read;
mod version;

pub(crate) use collect::Collector;
pub use facts::{ExecutableFacts, ExecutableFormat, Linking};
#[cfg(feature = "cli")]
pub(crate) use header::Executable;
pub(crate) use read::defined_glibc;
pub(crate) use version::is_newer;
