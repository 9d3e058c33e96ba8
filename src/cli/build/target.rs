//! The targets that a user wants to build for, and their names in Rust and in Go.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::archive::Target;

/// A target as the user names it: a Rust triple, `GOOS/GOARCH` or `arch-os`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct WantedTarget {
    text: String,
    target: Target,
}

/// The names of a target for the Go compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GoTarget {
    pub(super) os: String,
    pub(super) arch: String,
    /// The version of an ARM processor, for `GOARM`.
    pub(super) arm: Option<String>,
}

impl WantedTarget {
    /// Returns the label of the executable in an archive.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Returns the Rust triples for this target, best first. A static executable starts in every image, so musl comes
    /// before glibc.
    pub(super) fn triples(&self) -> Vec<String> {
        if self.text.matches('-').count() >= 2 {
            return vec![self.text.clone()];
        }
        let Some((arch, os)) = self.target.as_str().split_once('-') else {
            return Vec::new();
        };
        let cpu = match arch {
            "x86" => "i686",
            "riscv64" => "riscv64gc",
            other => other,
        };
        let names: Vec<String> = match os {
            "linux" if arch == "arm" => [
                "armv7-unknown-linux-musleabihf",
                "armv7-unknown-linux-gnueabihf",
                "arm-unknown-linux-musleabihf",
                "arm-unknown-linux-gnueabihf",
            ]
            .map(str::to_owned)
            .to_vec(),
            "linux" => ["musl", "gnu"]
                .map(|library| format!("{cpu}-unknown-linux-{library}"))
                .to_vec(),
            "macos" => vec![format!("{cpu}-apple-darwin")],
            "windows" if cfg!(windows) => vec![format!("{cpu}-pc-windows-msvc")],
            "windows" if arch == "aarch64" => vec![format!("{cpu}-pc-windows-gnullvm")],
            "windows" => vec![format!("{cpu}-pc-windows-gnu")],
            "android" => vec![format!("{cpu}-linux-android")],
            "freebsd" | "netbsd" | "openbsd" | "illumos" => vec![format!("{cpu}-unknown-{os}")],
            _ => Vec::new(),
        };
        names
    }

    /// Returns the names for the Go compiler, or `None` if Go has no names for this target.
    pub(super) fn go(&self) -> Option<GoTarget> {
        let mut words = self.text.split('/');
        if let (Some(os), Some(arch)) = (words.next(), words.next()) {
            let variant = words.next().and_then(|variant| variant.strip_prefix('v'));
            let arm = variant.filter(|_| arch == "arm").map(str::to_owned);
            return Some(GoTarget::new(os, arch, arm));
        }
        let (arch, os) = self.target.as_str().split_once('-')?;
        let arch = match arch {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            "loongarch64" => "loong64",
            "arm" | "riscv64" | "s390x" | "mips" | "mips64" => arch,
            _ => return None,
        };
        let os = if os == "macos" { "darwin" } else { os };
        // A processor such as `armv7` in a triple.
        let arm = self.text.strip_prefix("armv").map(|rest| {
            let version = rest.chars().take_while(char::is_ascii_digit);
            version.collect::<String>()
        });
        Some(GoTarget::new(os, arch, arm.filter(|arm| !arm.is_empty())))
    }
}

impl GoTarget {
    pub(super) fn new(os: &str, arch: &str, arm: Option<String>) -> Self {
        Self {
            os: os.to_owned(),
            arch: arch.to_owned(),
            arm,
        }
    }
}

impl fmt::Display for GoTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.arch)
    }
}

impl fmt::Display for WantedTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for WantedTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("wasm") {
            return Err(format!(
                "`{text}` is WebAssembly; a provider archive holds native executables"
            ));
        }
        // `cargo zigbuild` takes the version of glibc at the end of a triple: `x86_64-unknown-linux-gnu.2.28`.
        let target = without_library_version(text).parse();
        let target: Target = target.map_err(|_| {
            let text = text.escape_debug();
            format!(
                "`{text}` is not a target: give a Rust triple, `GOOS/GOARCH` or `arch-os` such as `x86_64-linux`"
            )
        })?;
        Ok(Self {
            text: text.to_owned(),
            target,
        })
    }
}

impl TryFrom<String> for WantedTarget {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Returns a triple without the version of the C library at its end.
pub(super) fn without_library_version(triple: &str) -> &str {
    match triple.split_once('.') {
        Some((triple, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => triple,
        _ => triple,
    }
}

#[cfg(test)]
#[path = "tests/target.rs"]
mod tests;
