//! Building providers from source: the project file, the compilers, and the executables that they make.
//!
//! From the bottom up: `program` runs a compiler; `tool` is a program in place of cargo; `target` is a machine that the user wants to build for; `project` is
//! `wasmcloud.toml`; `executable` checks what a compiler made; `cargo` and `go` are the two languages; `compile`
//! builds all targets.

mod cargo;
mod compile;
mod executable;
mod go;
mod program;
mod project;
mod project_keys;
mod target;
mod tool;

pub(crate) use compile::{Built, binary_of, build};
pub(crate) use executable::Compiled;
pub(crate) use project::{Language, PROJECT_FILE, Project};
pub(crate) use target::WantedTarget;
pub(crate) use tool::Tool;

/// What the command line says about a build, besides the project file.
pub(crate) struct Wishes {
    /// The targets to build for. Without any, those of the project file count.
    pub(crate) targets: Vec<WantedTarget>,
    /// The program that compiles Rust in place of `cargo build`.
    pub(crate) with: Option<Tool>,
    /// The binary to build, of several.
    pub(crate) binary: Option<String>,
    /// Whether to build without optimisations.
    pub(crate) debug: bool,
    /// Whether the executables must not contain the paths of this machine.
    pub(crate) is_reproducible: bool,
    /// More arguments for the compiler.
    pub(crate) arguments: Vec<String>,
}
