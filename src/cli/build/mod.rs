//! Building providers from source: the project file, the compilers, and the executables that they make.
//!
//! From the bottom up: `program` runs a compiler; `tool` is a program in place of cargo; `target` is a machine that
//! the user wants to build for; `project` is `wasmcloud.toml`; `executable` checks what a compiler made; `wishes` is
//! what the command line says; `cargo` and `go` are the two languages; `compile` builds all targets.

mod cargo;
mod compile;
mod executable;
mod go;
mod program;
mod project;
mod project_keys;
mod target;
mod tool;
mod wishes;

pub(crate) use compile::{Built, binary_of, build};
pub(crate) use executable::Compiled;
pub(crate) use project::{Language, PROJECT_FILE, Project};
pub(crate) use target::WantedTarget;
pub(crate) use tool::Tool;
pub(crate) use wishes::Wishes;
