//! What the command line says about a build.

use super::target::WantedTarget;
use super::tool::Tool;

/// What the command line says about a build, besides the project file.
pub(crate) struct Wishes {
    /// The targets to build for. Without any, those of the project file count.
    pub(crate) targets: Vec<WantedTarget>,
    /// The program that compiles Rust in place of `cargo build`.
    pub(crate) with: Option<Tool>,
    /// Whether `cargo auditable` is used if it is installed.
    pub(crate) auditable: bool,
    /// The binary to build, of several.
    pub(crate) binary: Option<String>,
    /// Whether to build without optimisations.
    pub(crate) debug: bool,
    /// Whether the executables must not contain the paths of this machine.
    pub(crate) is_reproducible: bool,
    /// More arguments for the compiler.
    pub(crate) arguments: Vec<String>,
}
