//! The programs that compile Rust for other machines in place of `cargo build`.

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

    /// Whether the tool brings the standard library of the target.
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

/// Whether a program is in one of the directories of `PATH`.
fn is_installed(program: &str) -> bool {
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| Path::new(&directory).join(&file).is_file())
}
