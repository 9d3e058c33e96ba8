//! The programs that compile Rust in place of `cargo build`.

use std::path::Path;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::cli::output::Failure;
use crate::content::ErrorKind;

/// A program that compiles Rust for other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tool {
    /// Links with the linker and the C library that come with Zig
    CargoZigbuild,
    /// Compiles in a container
    Cross,
}

impl Tool {
    /// Returns the name of the program.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::CargoZigbuild => "cargo-zigbuild",
            Self::Cross => "cross",
        }
    }

    /// Returns whether the tool provides the standard library of the target.
    pub(super) fn brings_targets(self) -> bool {
        self == Self::Cross
    }

    /// Returns an error if the program is not installed.
    pub(super) fn check_installed(self) -> Result<()> {
        let program = self.program();
        if is_installed(program) {
            return Ok(());
        }
        let message = format!("{program} is not installed: it is not in PATH");
        let hint = format!("install it with `cargo install {program} --locked`");
        bail!(Failure::new(ErrorKind::NotFound, message).hint(hint))
    }
}

/// The program that makes `cargo auditable` a command of cargo.
const AUDITABLE: &str = "cargo-auditable";

/// Returns whether a build can record the crates in the executables: `cargo auditable` is installed, and the compiler
/// is cargo. A build with `cross` cannot, because its container has no `cargo auditable`.
pub(super) fn records_crates(compiler: &Path, with: Option<Tool>) -> bool {
    let is_cargo = compiler.file_stem().is_some_and(|name| name == "cargo");
    is_cargo && with != Some(Tool::Cross) && is_installed(AUDITABLE)
}

/// Whether a program is in one of the directories of `PATH`.
fn is_installed(program: &str) -> bool {
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| Path::new(&directory).join(&file).is_file())
}
