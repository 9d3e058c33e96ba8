//! Building providers from source: the project file, the compilers, and the executables that they make.
//!
//! From the bottom up: `program` runs a compiler; `tool` is a program in place of cargo; `target` is a target that the
//! user wants to build for; `project` is `wasmcloud.toml`; `executable` checks the result of a compiler; `options` has
//! the options of the command line; `cargo` and `go` are the two languages; `compile` builds all targets.

mod cargo;
mod compile;
mod executable;
mod go;
mod options;
mod program;
mod project;
mod project_keys;
mod target;
mod tool;

pub(crate) use compile::{Built, PlannedBuild, binary_of};
pub(crate) use executable::Compiled;
pub(crate) use options::BuildOptions;
pub(crate) use project::{Language, PROJECT_FILE, Project};
pub(crate) use target::WantedTarget;
pub(crate) use tool::Tool;
