//! The settings for rustc in the configuration files of cargo: `.cargo/config.toml` in a directory and in those above
//! it.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::content::{home, read_file_bounded};

/// The largest configuration file that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// The flags for rustc in the configuration files and the environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Configuration {
    /// The flags of the table `build` and of the variable `CARGO_BUILD_RUSTFLAGS`.
    pub(super) build_flags: Vec<String>,
    /// Whether a table of `target`, or a variable `CARGO_TARGET_…_RUSTFLAGS`, has flags. Cargo uses those that are for the
    /// target instead of `build_flags`.
    pub(super) has_target_flags: bool,
    /// Whether cargo compiles the standard library. Then it need not be installed for each target.
    pub(super) builds_library: bool,
}

impl Configuration {
    /// Reads the configuration that cargo uses in `directory`. A file that cannot be read is ignored, because cargo
    /// reports it. Blocks.
    pub(super) fn of(directory: &Path) -> Self {
        let mut directories: Vec<PathBuf> = directory
            .ancestors()
            .map(|directory| directory.join(".cargo"))
            .collect();
        directories.extend(cargo_home());
        let mut found = Self::default();
        // The nearest file is read last, because its values override the others.
        for directory in directories.iter().rev() {
            let names = ["config", "config.toml"].map(|name| directory.join(name));
            let read = |path: &PathBuf| read_file_bounded(path, LIMIT).ok();
            if let Some(text) = names.iter().find_map(read) {
                found.add(&String::from_utf8_lossy(&text));
            }
        }
        for (name, value) in std::env::vars_os() {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            found.add_variable(&name, &value);
        }
        found
    }

    fn add(&mut self, text: &str) {
        let Ok(document) = text.parse::<Table>() else {
            return;
        };
        let table = |name: &str| document.get(name).and_then(Value::as_table);
        match table("build").and_then(|build| build.get("rustflags")) {
            Some(Value::String(flags)) => self.build_flags = words(flags),
            Some(Value::Array(flags)) => {
                let flags = flags.iter().filter_map(Value::as_str);
                self.build_flags.extend(flags.map(str::to_owned));
            }
            _ => {}
        }
        let mut targets = table("target").into_iter().flat_map(Table::values);
        self.has_target_flags |= targets.any(|target| target.get("rustflags").is_some());
        self.builds_library |=
            table("unstable").is_some_and(|table| table.contains_key("build-std"));
    }

    fn add_variable(&mut self, name: &str, value: &str) {
        if name == "CARGO_BUILD_RUSTFLAGS" {
            self.build_flags.extend(words(value));
        }
        self.has_target_flags |= name.starts_with("CARGO_TARGET_") && name.ends_with("_RUSTFLAGS");
        self.builds_library |= name == "CARGO_UNSTABLE_BUILD_STD";
    }
}

/// Returns cargo's home directory, which has its configuration and the sources of crates.
pub(super) fn cargo_home() -> Option<PathBuf> {
    let named = std::env::var_os("CARGO_HOME").filter(|path| !path.is_empty());
    named
        .map(PathBuf::from)
        .or_else(|| Some(home()?.join(".cargo")))
}

/// Returns flags that are separated by white space.
pub(super) fn words(flags: &str) -> Vec<String> {
    flags.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
#[path = "tests/configuration.rs"]
mod tests;
