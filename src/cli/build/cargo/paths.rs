//! Keeps the paths of this machine out of executables, so that the same source gives the same bytes everywhere.

use std::path::PathBuf;

use tokio::process::Command;

use super::configuration::{Configuration, cargo_home, words};

/// The variable with flags for rustc, separated by the byte 0x1f. Cargo then ignores every other source of flags.
const ENCODED: &str = "CARGO_ENCODED_RUSTFLAGS";
/// The variable with flags for rustc, separated by spaces.
const PLAIN: &str = "RUSTFLAGS";

/// The directories of this machine that would be in executables, each with the path that replaces it.
pub(super) struct TrimmedPaths(Vec<(PathBuf, String)>);

/// The user's flags in the configuration cannot be combined with flags of this command: cargo would ignore one of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ConflictingFlags;

impl TrimmedPaths {
    /// Returns the paths of a build. `source` is the directory of rustc's own source, and the path that rustc gives it
    /// in executables. If several prefixes fit a path, rustc uses the last one.
    pub(super) fn new(
        workspace: PathBuf,
        target_directory: PathBuf,
        source: Option<(PathBuf, String)>,
    ) -> Self {
        let mut paths = vec![(workspace, "/source".to_owned())];
        paths.extend(cargo_home().map(|home| (home, "/cargo".to_owned())));
        paths.push((target_directory, "/target".to_owned()));
        paths.extend(source);
        Self(paths)
    }

    fn flags(&self) -> impl Iterator<Item = String> {
        let flag = |(from, to): &(PathBuf, String)| {
            format!("--remap-path-prefix={}={to}", from.to_string_lossy())
        };
        self.0.iter().map(flag)
    }

    /// Adds the flags to the user's flags. Cargo reads flags from one source only: the variables, else the tables of
    /// targets, else the table `build`.
    pub(super) fn apply(
        &self,
        command: &mut Command,
        configuration: &Configuration,
    ) -> Result<(), ConflictingFlags> {
        let variable = |name| std::env::var(name).ok();
        let given = match (variable(ENCODED), variable(PLAIN)) {
            (Some(flags), _) => Some(encoded_words(&flags)),
            (None, Some(flags)) => Some(words(&flags)),
            (None, None) => None,
        };
        match given {
            Some(flags) => self.set(command, flags),
            None if !configuration.has_target_flags => {
                self.set(command, configuration.build_flags.clone());
            }
            // It is not known whether a table fits the target, and so not known whether cargo uses the flags of
            // `build`.
            None if !configuration.build_flags.is_empty() => return Err(ConflictingFlags),
            None => {
                let flags: Vec<String> = self.flags().collect();
                let flags = toml::Value::from(flags);
                command.arg("--config");
                command.arg(format!("target.'cfg(all())'.rustflags={flags}"));
            }
        }
        Ok(())
    }

    fn set(&self, command: &mut Command, mut flags: Vec<String>) {
        flags.extend(self.flags());
        command.env(ENCODED, flags.join("\u{1f}"));
    }
}

fn encoded_words(flags: &str) -> Vec<String> {
    let flags = flags.split('\u{1f}').filter(|flag| !flag.is_empty());
    flags.map(str::to_owned).collect()
}
