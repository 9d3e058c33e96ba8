//! Builds providers in Rust. Cargo lists the binaries of the project, and reports what it has built.

mod compiler;
mod configuration;
mod messages;
mod metadata;
mod paths;
mod toolchain;

pub(super) use compiler::Cargo;
pub(super) use metadata::Binary;
