//! Asking rustc about the machine's own triple and the installed targets.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cli::build::program::Program;
use crate::cli::build::target::{WantedTarget, without_library_version};
use crate::cli::output::Failure;
use crate::content::ErrorKind;

/// The compiler that cargo starts in a directory.
pub(super) struct Toolchain<'a> {
    directory: &'a Path,
    /// The triple of the machine.
    pub(super) host: String,
    /// The commit of the compiler. It is part of the path that rustc gives its own source.
    pub(super) commit: Option<String>,
}

impl<'a> Toolchain<'a> {
    /// Asks the compiler that runs in `directory`. A file there may choose a toolchain.
    pub(super) async fn of(directory: &'a Path) -> Result<Self> {
        let mut toolchain = Self {
            directory,
            host: String::new(),
            commit: None,
        };
        let about = toolchain.ask(&["-vV"]).await?;
        let about = about.context("`rustc -vV` failed")?;
        for line in about.lines() {
            match line.split_once(": ") {
                Some(("host", host)) => host.clone_into(&mut toolchain.host),
                Some(("commit-hash", hash)) if hash != "unknown" => {
                    toolchain.commit = Some(hash.to_owned());
                }
                _ => {}
            }
        }
        Ok(toolchain)
    }

    /// Returns the directory of the toolchain.
    pub(super) async fn sysroot(&self) -> Result<Option<PathBuf>> {
        let answer = self.ask(&["--print", "sysroot"]).await?;
        Ok(answer.map(|path| PathBuf::from(path.trim())))
    }

    /// Returns the triple to build for, for each target. With `needs_library`, the standard library of each has to be
    /// installed.
    pub(super) async fn triples(
        &self,
        targets: &[WantedTarget],
        needs_library: bool,
    ) -> Result<Vec<String>> {
        let mut chosen = Vec::new();
        let mut missing = BTreeSet::new();
        for target in targets {
            let candidates = target.triples();
            let Some(first) = candidates.first() else {
                let message = format!("the Rust triple for {target} is not known");
                bail!(
                    Failure::usage(message)
                        .hint("name the triple; `rustc --print target-list` prints all")
                );
            };
            let mut installed = None;
            for triple in &candidates {
                if !needs_library || self.is_installed(triple).await? {
                    installed = Some(triple);
                    break;
                }
            }
            match installed {
                Some(triple) => chosen.push(triple.clone()),
                None => {
                    missing.insert(without_library_version(first).to_owned());
                }
            }
        }
        if !missing.is_empty() {
            let missing: Vec<String> = missing.into_iter().collect();
            let message = match missing.as_slice() {
                [one] => format!("the Rust target {one} is not installed"),
                several => format!("the Rust targets {} are not installed", several.join(", ")),
            };
            let hint = format!("run `rustup target add {}`", missing.join(" "));
            bail!(Failure::new(ErrorKind::NotFound, message).hint(hint));
        }
        Ok(chosen)
    }

    /// Whether the standard library of a triple is installed.
    async fn is_installed(&self, triple: &str) -> Result<bool> {
        let triple = without_library_version(triple);
        let arguments = ["--print", "target-libdir", "--target", triple];
        let Some(directory) = self.ask(&arguments).await? else {
            let message = format!("rustc knows no target `{triple}`");
            let hint = "`rustc --print target-list` prints all targets";
            bail!(Failure::usage(message).hint(hint));
        };
        Ok(Path::new(directory.trim()).is_dir())
    }

    async fn ask(&self, arguments: &[&str]) -> Result<Option<String>> {
        let rustc = std::env::var_os("RUSTC").filter(|path| !path.is_empty());
        let rustc = rustc.unwrap_or_else(|| OsString::from("rustc"));
        let mut program = Program::new(Path::new(&rustc), self.directory);
        program.command().args(arguments);
        let answer = program.quiet_answer().await?;
        Ok(answer.map(|answer| String::from_utf8_lossy(&answer).into_owned()))
    }
}
