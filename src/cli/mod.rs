//! The command line: arguments, output, hints and exit codes.
//!
//! A command is a file in `commands` with its `Args` and a `run()` that makes one call into the library and
//! returns an `Answer`. Only this layer prints, knows the names of flags and decides on exit codes.
//!
//! From the bottom up: `interruption` and `threads`; `output`, what users see; `files`, `schema` and `source_revision`,
//! what commands read besides archives; `vouching`, how they print a Sigstore identity; `bill`, the documents that
//! `par sbom` writes; `versions`, the order of tags; `session`, one run of the
//! command; `failures`, of which a command reports all; `build`, compilers; `arguments`, what commands share;
//! `commands`; `variables`, which stand for options; and `run`, which parses the command line and runs a command.

mod arguments;
mod bill;
mod build;
mod commands;
mod failures;
mod files;
mod interruption;
mod output;
mod pin_document;
mod run;
mod schema;
mod session;
mod signed_names;
mod source_revision;
mod spool;
mod threads;
mod variables;
mod versions;
mod vouching;

pub use run::main;

/// Items that only the tests of this project use. They can change with every version.
#[cfg(feature = "internals")]
pub mod internals {
    pub use super::run::definition;
}
