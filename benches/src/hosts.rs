//! The two ways for a host to get a provider: `par fetch`, and `fetch_provider` of wasmCloud's host.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::measure::words;

/// The commands for both. Each prints the path of an executable for this machine.
pub struct Hosts<'a> {
    par: &'a Path,
    /// The directory of the caches.
    directory: &'a Path,
}

impl<'a> Hosts<'a> {
    pub fn new(par: &'a Path, directory: &'a Path) -> Self {
        Self { par, directory }
    }

    /// Returns the command `par fetch` with the cache `cache`.
    pub fn ours(&self, cache: &str, reference: &str) -> Vec<OsString> {
        let cache = self.directory.join(format!("our-{cache}"));
        words(&[&self.par, &"fetch", &reference, &"--cache-dir", &cache])
    }

    /// Returns the command that calls `fetch_provider` with the cache `cache`. That cache is in the directory for
    /// temporary files.
    pub fn theirs(&self, cache: &str, reference: &str) -> anyhow::Result<Vec<OsString>> {
        let cache = self.directory.join(format!("their-{cache}"));
        fs::create_dir_all(&cache)?;
        let mut directory = OsString::from("TMPDIR=");
        directory.push(cache);
        let this = std::env::current_exe()?;
        Ok(words(&[
            &"env", &directory, &this, &"peer", &"fetch", &reference,
        ]))
    }

    /// Runs both commands. Fails if one of the executables differs from `expected`.
    pub fn agree(&self, cache: &str, reference: &str, expected: &Path) -> anyhow::Result<()> {
        let expected = fs::read(expected)?;
        for command in [self.ours(cache, reference), self.theirs(cache, reference)?] {
            let path = PathBuf::from(printed(&command)?);
            ensure!(
                fs::read(&path)? == expected,
                "{command:?} gave another executable: {}",
                path.display()
            );
        }
        Ok(())
    }
}

/// Returns the line that a command prints.
pub fn printed(command: &[OsString]) -> anyhow::Result<String> {
    let (program, arguments) = command.split_first().context("a command")?;
    let output = Command::new(program).args(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {said}");
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}
