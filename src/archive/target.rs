//! Targets: the platforms for which executables are made.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::entry_names::{CLAIMS_ENTRY, WORLD_ENTRY};
use super::platform_names;

/// The platform of an executable, such as `x86_64-linux`: the values of Rust's constants [`std::env::consts::ARCH`] and
/// [`OS`](std::env::consts::OS), joined by a hyphen.
///
/// Names that Rust does not have are allowed, so that archives with newer targets can be read. Parsing also accepts
/// triples and `GOOS/GOARCH`.
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

    /// Creates a target with any name that an entry of an archive can have. Parse the input of a user instead: parsing
    /// requires the form `arch-os`.
    ///
    /// # Errors
    ///
    /// [`ParseTargetError`] for names that are empty, have more than 96 bytes, contain separators of paths, white space
    /// or control characters, or are the names of other entries.
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
            return Err(ParseTargetError::new(name));
        }
        Ok(Self(name.to_owned()))
    }

    /// Returns the name that hosts look for when this target has another common name: `aarch64-macos`
    /// for `arm64-darwin`. `None` when the name is the usual one, or when no other name is known.
    #[must_use]
    pub fn usual_name(&self) -> Option<String> {
        let usual = platform_names::from_triple(&self.0).or_else(|| {
            let (arch, os) = self.0.split_once('-')?;
            let (arch, os) = (
                platform_names::architecture(arch),
                platform_names::system(os),
            );
            Some(format!("{arch}-{os}"))
        });
        usual.filter(|usual| *usual != self.0)
    }

    /// Returns whether a host can look for this target: both halves are values of Rust's constants.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let halves = self.0.split_once('-');
        halves.is_some_and(|(arch, os)| platform_names::is_known(arch, os))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Target {
    type Err = ParseTargetError;

    /// Reads `arch-os`, a triple such as `x86_64-unknown-linux-musl`, or `GOOS/GOARCH` such as `linux/amd64`. A triple
    /// or `GOOS/GOARCH` is turned into the target that it names. Any other name stays unchanged.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let error = || ParseTargetError::new(name);
        if let Some(usual) =
            platform_names::from_platform(name).or_else(|| platform_names::from_triple(name))
        {
            return Self::carried(&usual).map_err(|_| error());
        }
        let target = Self::carried(name)?;
        match target.0.split_once('-') {
            Some((arch, os)) if !arch.is_empty() && !os.is_empty() => Ok(target),
            _ => Err(error()),
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

/// A target that a user asks for, before the targets of the archive are known.
///
/// An archive may have an executable for `x86_64-unknown-linux-musl`, which is a triple, and another one for
/// `x86_64-linux`, which is the target that the triple names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RequestedTarget {
    /// The name as the user wrote it, if an entry of an archive can have it and it differs from `usual`.
    written: Option<Target>,
    /// The target that the text names when no entry of the archive has the written name.
    usual: Target,
}

impl RequestedTarget {
    /// Returns the target that the request means in an archive with the targets `carried`: the one with the written
    /// name, or else the one that the written name stands for. The archive may have neither.
    pub(crate) fn among<V>(&self, carried: &BTreeMap<Target, V>) -> &Target {
        match &self.written {
            Some(written) if carried.contains_key(written) => written,
            _ => &self.usual,
        }
    }

    /// Returns whether the request may mean `target`, which depends on the other targets of the archive.
    pub(crate) fn may_be(&self, target: &Target) -> bool {
        self.usual == *target || self.written.as_ref() == Some(target)
    }

    /// Returns whether the request means the same target in every archive.
    #[cfg(feature = "cli")]
    pub(crate) fn is_settled(&self) -> bool {
        self.written.is_none()
    }

    /// Returns the target that the text names in an archive without an entry of the written name, and in an image
    /// index.
    pub(crate) fn usual(&self) -> &Target {
        &self.usual
    }
}

impl From<&Target> for RequestedTarget {
    fn from(target: &Target) -> Self {
        Self {
            written: None,
            usual: target.clone(),
        }
    }
}

impl FromStr for RequestedTarget {
    type Err = ParseTargetError;

    /// Reads what [`Target`] reads, and every other name that an entry of an archive can have.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let written = Target::carried(name).ok();
        match (name.parse::<Target>(), written) {
            (Ok(usual), written) => Ok(Self {
                written: written.filter(|written| *written != usual),
                usual,
            }),
            (Err(_), Some(written)) => Ok(Self::from(&written)),
            (Err(error), None) => Err(error),
        }
    }
}

impl fmt::Display for RequestedTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.written.as_ref().unwrap_or(&self.usual), formatter)
    }
}

/// The error for a text that does not name a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseTargetError {
    name: String,
}

impl ParseTargetError {
    fn new(name: &str) -> Self {
        Self {
            name: name.chars().take(Target::LONGEST).collect(),
        }
    }
}

impl fmt::Display for ParseTargetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "`{}` is not a target: expected arch-os such as `x86_64-linux`",
            self.name.escape_debug()
        )
    }
}

impl std::error::Error for ParseTargetError {}

#[cfg(test)]
#[path = "tests/target.rs"]
mod tests;
