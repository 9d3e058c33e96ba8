//! Builds providers in Rust: cargo says what there is to build, and what it has built.

mod compiler;
mod configuration;
mod messages;
mod metadata;
mod paths;
mod toolchain;

pub(super) use compiler::Cargo;
pub(super) use metadata::Binary;
