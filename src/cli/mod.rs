//! The command line: arguments, output, hints and exit codes.
//!
//! A command is a file in `commands` with its `Args` and a `run()` that makes one call into the library and
//! returns an `Answer`. Only this layer prints, knows the names of flags and decides on exit codes.
//!
//! From the bottom up: `interruption` and `threads`; `output`, which prints; `files`, `schema` and `source_revision`,
//! which read input other than archives; `vouching`, which prints a Sigstore identity; `bill`, the documents of `par
//! sbom`; `versions`, the order of tags; `session`, one run of the command; `failures`, for commands that report several;
//! `secret_variables`, which compilers do not get; `build`, which runs compilers; `arguments`, the options that commands
//! share; `commands`; `variables`, the environment variables in place of options; and `run`, which parses the command
//! line and runs a command.

mod arguments;
mod bill;
mod build;
mod commands;
mod failures;
mod files;
mod interruption;
mod output;
mod panics;
mod pin_document;
mod run;
mod schema;
mod secret_variables;
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
