//! Targets: the machines that executables are for.

use std::fmt;
use std::str::FromStr;

use super::entry_names::{CLAIMS_ENTRY, WORLD_ENTRY};

/// The machine an executable is for, such as `x86_64-linux`: the names of Rust's constants
/// [`std::env::consts::ARCH`] and [`OS`](std::env::consts::OS), joined by a hyphen.
///
/// Other names than those of Rust are allowed, so that archives with newer targets can be read.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target(String);

impl Target {
    /// The longest name in bytes. `{target}.bin` has to fit the name field of a tar header, 100 bytes.
    const LONGEST: usize = 96;

    /// Returns the target of the running program.
    #[must_use]
    pub fn host() -> Self {
        use std::env::consts::{ARCH, OS};
        Self(format!("{ARCH}-{OS}"))
    }

    /// Creates a target with any name that an archive can carry. The input of a user is better parsed,
    /// which requires the form `arch-os`.
    ///
    /// # Errors
    ///
    /// [`ParseTargetError`] for names that are empty, are longer than 96 bytes, hold separators of paths,
    /// white space or control characters, or are the names of other entries.
    pub(crate) fn carried(name: &str) -> Result<Self, ParseTargetError> {
        let reserved = [CLAIMS_ENTRY, WORLD_ENTRY]
            .iter()
            .any(|entry| *entry == name || entry.split('.').next() == Some(name));
        if name.is_empty()
            || name.len() > Self::LONGEST
            || name.starts_with('.')
            || reserved
            || name
                .chars()
                .any(|c| matches!(c, '/' | '\\' | ':') || c.is_whitespace() || c.is_control())
        {
            return Err(ParseTargetError {
                name: name.chars().take(Self::LONGEST).collect(),
                suggestion: None,
            });
        }
        Ok(Self(name.to_owned()))
    }

    /// Returns the name that hosts look for when this target has another common name: `aarch64-macos`
    /// for `arm64-darwin`. `None` when the name is the usual one.
    #[must_use]
    pub fn usual_name(&self) -> Option<String> {
        let (arch, os) = self.0.split_once('-')?;
        let usual_arch = match arch {
            "amd64" | "x64" => "x86_64",
            "arm64" => "aarch64",
            "i386" | "i686" | "386" => "x86",
            other => other,
        };
        let usual_os = match os {
            "darwin" | "apple-darwin" => "macos",
            "unknown-linux-gnu" | "unknown-linux-musl" | "linux-gnu" | "linux-musl" => "linux",
            "pc-windows-msvc" | "pc-windows-gnu" => "windows",
            "unknown-freebsd" => "freebsd",
            other => other,
        };
        let usual = format!("{usual_arch}-{usual_os}");
        (usual != self.0).then_some(usual)
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let error = |suggestion| ParseTargetError {
            name: name.chars().take(Self::LONGEST).collect(),
            suggestion,
        };
        // Container images name the platform the other way round: `linux/arm64`.
        let word = |text: &str| text.chars().all(char::is_alphanumeric);
        if let Some((os, arch)) = name.split_once('/').filter(|(os, _)| word(os)) {
            let target = Self::carried(&format!("{arch}-{os}")).map_err(|_| error(None))?;
            return Err(error(Some(target.usual_name().unwrap_or(target.0))));
        }
        let target = Self::carried(name)?;
        match target.0.split_once('-') {
            Some((arch, os)) if !arch.is_empty() && !os.is_empty() => Ok(target),
            _ => Err(error(None)),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The error of a text that does not name a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseTargetError {
    name: String,
    suggestion: Option<String>,
}

impl fmt::Display for ParseTargetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "`{}` is not a target: ",
            self.name.escape_debug()
        )?;
        match &self.suggestion {
            Some(suggestion) => write!(formatter, "write `{suggestion}`"),
            None => formatter.write_str("expected arch-os such as `x86_64-linux`"),
        }
    }
}

impl std::error::Error for ParseTargetError {}

#[cfg(test)]
#[path = "tests/target.rs"]
mod tests;
