//! The platforms of container images.

use std::fmt;

use serde::Serialize;

/// A platform, with the names of OCI, which are the names of Go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct ImagePlatform {
    pub(crate) architecture: &'static str,
    pub(crate) os: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<&'static str>,
}

impl ImagePlatform {
    /// Returns the platform of an executable for `architecture` and `os`, the two halves of a target. `None` for a
    /// system other than Linux, and for an unknown processor.
    ///
    /// The names of some processors leave the order of bytes open. `big_endian` gives it. The name of 32-bit Arm leaves
    /// the version open. `arm` gives it. Without a version, 7 is assumed, as in containerd.
    pub(crate) fn of(
        architecture: &str,
        os: &str,
        big_endian: bool,
        arm: Option<u8>,
    ) -> Option<Self> {
        let (architecture, variant) = match (architecture, big_endian) {
            _ if os != "linux" => return None,
            ("x86_64", _) => ("amd64", None),
            ("x86", _) => ("386", None),
            ("aarch64", false) => ("arm64", Some("v8")),
            ("arm", false) => ("arm", Some(arm_variant(arm))),
            ("armv5", false) => ("arm", Some("v5")),
            ("armv6", false) => ("arm", Some("v6")),
            (name, false) if name.starts_with("armv7") => ("arm", Some("v7")),
            ("loongarch64", _) => ("loong64", None),
            ("mips", false) => ("mipsle", None),
            ("mips", true) => ("mips", None),
            ("mips64", false) => ("mips64le", None),
            ("mips64", true) => ("mips64", None),
            ("powerpc64", false) => ("ppc64le", None),
            ("powerpc64", true) => ("ppc64", None),
            ("riscv64" | "riscv64gc", _) => ("riscv64", None),
            ("s390x", _) => ("s390x", None),
            _ => return None,
        };
        Some(Self {
            architecture,
            os: "linux",
            variant,
        })
    }

    /// Returns the architecture with its variant, such as `arm/v7`.
    pub(crate) fn architecture_and_variant(&self) -> String {
        match self.variant {
            Some(variant) => format!("{}/{variant}", self.architecture),
            None => self.architecture.to_owned(),
        }
    }
}

fn arm_variant(version: Option<u8>) -> &'static str {
    match version {
        Some(..=5) => "v5",
        Some(6) => "v6",
        _ => "v7",
    }
}

impl fmt::Display for ImagePlatform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture_and_variant())
    }
}
