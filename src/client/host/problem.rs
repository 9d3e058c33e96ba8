//! Why this machine cannot start an executable.

use std::fmt;
use std::path::PathBuf;

/// A reason why this machine cannot start an executable. Its text completes a sentence that begins with "it cannot be
/// started:".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostProblem {
    /// The file system of the executable is mounted with `noexec`.
    NoExec,
    /// The executable is made for other processors or for another system. The field names them.
    OtherMachine(String),
    /// This machine does not have the dynamic linker of the executable, or the program that runs the script. Starting it
    /// fails with "No such file or directory", although the file is there.
    MissingInterpreter(String),
    /// The GNU C library of this machine is older than the executable needs.
    OldGlibc {
        /// The release that the executable needs.
        needs: String,
        /// The release of this machine.
        has: String,
        /// The library.
        library: PathBuf,
    },
    /// This machine does not have a shared library with this name.
    MissingLibrary(String),
    /// The executable has no code signature, without which macOS on arm64 starts nothing.
    NotSigned,
}

impl fmt::Display for HostProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names come from the file.
        match self {
            Self::NoExec => formatter.write_str("its file system is mounted with `noexec`"),
            Self::OtherMachine(made_for) => write!(
                formatter,
                "it is made for {made_for}, and this machine is {}-{}",
                std::env::consts::ARCH,
                std::env::consts::OS
            ),
            Self::MissingInterpreter(interpreter) => write!(
                formatter,
                "it needs {}, which this machine does not have",
                interpreter.escape_debug()
            ),
            Self::OldGlibc {
                needs,
                has,
                library,
            } => write!(
                formatter,
                "it needs GLIBC {needs}, and this machine has {has} ({})",
                library.display()
            ),
            Self::MissingLibrary(name) => write!(
                formatter,
                "it needs the library {}, which this machine does not have",
                name.escape_debug()
            ),
            Self::NotSigned => formatter
                .write_str("it has no code signature, without which this machine starts nothing"),
        }
    }
}
