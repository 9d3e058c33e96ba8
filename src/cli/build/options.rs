//! The options of the command line for a build.

use super::target::WantedTarget;
use super::tool::Tool;

/// The options of the command line for a build. They override the project file.
pub(crate) struct BuildOptions {
    /// The targets to build for. Empty: the targets of the project file.
    pub(crate) targets: Vec<WantedTarget>,
    /// The program that compiles Rust in place of `cargo build`.
    pub(crate) with: Option<Tool>,
    /// Whether `cargo auditable` is used if it is installed.
    pub(crate) auditable: bool,
    /// The binary to build, if the project has several.
    pub(crate) binary: Option<String>,
    /// Whether to build without optimisations.
    pub(crate) debug: bool,
    /// Whether the executables must not contain the paths of this machine.
    pub(crate) is_reproducible: bool,
    /// Further arguments for the compiler.
    pub(crate) arguments: Vec<String>,
}
