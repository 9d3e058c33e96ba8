//! The choice of a manifest from an image index, by platform.
//!
//! Names and default variants are the same as in containerd's package `platforms`: `arm` without a variant is `arm/v7`,
//! `arm64` is `arm64/v8`, `amd64` is `amd64/v1`. A machine also runs executables for an older variant.

use std::fmt;

use serde::Deserialize;

use crate::content::Descriptor;

use super::super::error::Error;
use super::super::manifest::{CHILDREN_LIMIT, MANIFEST_LIMIT};
use super::super::media_type;
use super::super::one_line::one_line;

/// Returns the manifest in the image index `bytes` that fits a platform. The single manifest of an index always fits,
/// because a provider archive has executables for many targets.
///
/// `os` and `architecture` are names of Rust (`macos`, `aarch64`, `armv7`) or of OCI (`darwin`, `arm64`, `arm/v7`).
/// When several variants fit, the newest one is returned. For `arm` without a version, which is Rust's name for all
/// 32-bit Arm machines, `arm/v6` and older variants come before `arm/v7`.
pub(crate) fn choose_from_index(
    bytes: &[u8],
    os: &str,
    architecture: &str,
) -> Result<Descriptor, Error> {
    let entries = entries(bytes)?;
    let wanted = Platform::wanted(os, architecture);
    let fitting = wanted.newest().iter().find_map(|newest| {
        let versions = entries.iter().filter_map(|entry| {
            let version = entry.platform.as_ref()?.version_for(&wanted)?;
            (version <= *newest).then_some((version, entry))
        });
        // Of several equal versions, the first one in the index is chosen.
        versions.rev().max_by_key(|(version, _)| *version)
    });
    match (fitting, entries.as_slice()) {
        (Some((_, entry)), _) | (None, [entry]) => Ok(entry.descriptor.clone()),
        _ => {
            let platforms = entries.iter().map(|entry| match &entry.platform {
                Some(platform) => platform.to_string(),
                None => "any platform".to_owned(),
            });
            let mut available = one_line(&platforms.collect::<Vec<_>>().join(", "));
            if available.is_empty() {
                available = "none".to_owned();
            }
            let wanted = wanted.to_string();
            Err(Error::NoPlatform { wanted, available })
        }
    }
}

/// Returns the manifests of an index, without attestations of builds, which have the platform `unknown/unknown`.
fn entries(bytes: &[u8]) -> Result<Vec<Entry>, Error> {
    let what = || "image index".to_owned();
    if bytes.len() as u64 > MANIFEST_LIMIT {
        return Err(Error::too_large(what(), MANIFEST_LIMIT));
    }
    let index: ImageIndex = serde_json::from_slice(bytes).map_err(Error::json(what()))?;
    if index.layers.is_some() {
        return Err(Error::malformed(what(), "it has layers like a manifest"));
    }
    let mut entries = index.manifests.unwrap_or_default();
    if entries.len() > CHILDREN_LIMIT {
        return Err(Error::malformed(what(), "it has more than 1,000 entries"));
    }
    entries.retain(|entry| {
        let platform = entry.platform.as_ref();
        let is_attestation = platform
            .is_some_and(|platform| platform.os == "unknown" && platform.architecture == "unknown");
        !is_attestation && media_type::is_image(&entry.descriptor.media_type)
    });
    Ok(entries)
}

#[derive(Deserialize)]
struct ImageIndex {
    /// Tools written in Go write `null` for an empty list.
    manifests: Option<Vec<Entry>>,
    layers: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(flatten)]
    descriptor: Descriptor,
    platform: Option<Platform>,
}

/// A platform, with names of OCI.
#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

/// The major and the minor version of an architecture: (8, 1) for `v8.1`.
type Version = (u32, u32);

impl Platform {
    fn wanted(os: &str, architecture: &str) -> Self {
        let (architecture, variant) = architecture.split_once('/').unwrap_or((architecture, ""));
        let (architecture, variant) = match architecture {
            "x86_64" => ("amd64", variant),
            "x86" | "i386" | "i686" => ("386", variant),
            "aarch64" => ("arm64", variant),
            "armv5" => ("arm", "v5"),
            "armv6" => ("arm", "v6"),
            "armv7" | "armv7l" => ("arm", "v7"),
            "powerpc64" => ("ppc64", variant),
            "powerpc64le" => ("ppc64le", variant),
            "loongarch64" => ("loong64", variant),
            "riscv64gc" => ("riscv64", variant),
            other => (other, variant),
        };
        Self {
            os: match os {
                "macos" => "darwin".to_owned(),
                other => other.to_owned(),
            },
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        }
    }

    /// Returns the newest versions that this platform can run, in the order in which they are tried.
    fn newest(&self) -> Vec<Version> {
        match (self.architecture.as_str(), self.variant.as_str()) {
            ("arm", "") => vec![(6, 0), (7, 0)],
            _ => self.version().into_iter().collect(),
        }
    }

    fn version(&self) -> Option<Version> {
        if self.variant.is_empty() {
            return Some(match self.architecture.as_str() {
                "arm" => (7, 0),
                "arm64" => (8, 0),
                "amd64" => (1, 0),
                _ => (0, 0),
            });
        }
        let digits = self.variant.trim_start_matches('v');
        let (major, minor) = digits.split_once('.').unwrap_or((digits, "0"));
        Some((major.parse().ok()?, minor.parse().ok()?))
    }

    /// Returns the version of this platform, or `None` when its system or architecture differs from that of `wanted`.
    fn version_for(&self, wanted: &Self) -> Option<Version> {
        let fits = self.os == wanted.os && self.architecture == wanted.architecture;
        self.version().filter(|_| fits)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(formatter, "/{}", self.variant)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests/platform.rs"]
mod tests;
