//! Checking that a compiler has made an executable for its target.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::archive::{Executable, Target};
use crate::cli::output::{Failure, path_text};
use crate::content::ErrorKind;

/// An executable that a compiler has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compiled {
    /// The label in the archive.
    pub(crate) target: Target,
    /// The compiler's name for the target: a triple, or `GOOS/GOARCH`.
    pub(crate) platform: String,
    pub(crate) path: PathBuf,
}

impl Compiled {
    /// Checks that the file is an executable for its target. Blocks.
    pub(super) fn check(self) -> Result<Self> {
        let path = path_text(&self.path);
        let file =
            File::open(&self.path).with_context(|| format!("cannot read the executable {path}"))?;
        let executable = Executable::read(file);
        let executable =
            executable.with_context(|| format!("cannot read the executable {path}"))?;
        if !executable.suits(&self.target) {
            let target = &self.target;
            let message = format!("the build for {target} made {path}, but it is {executable}");
            bail!(Failure::new(ErrorKind::Other, message));
        }
        Ok(self)
    }
}
