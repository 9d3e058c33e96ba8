//! Package URLs: the names by which databases of vulnerabilities know packages.

use std::fmt::Write;

use crate::archive::{Ecosystem, Package, PackageSource};

/// Returns the package URL of a package. Returns `None` if the package is not from the public registry: a crate of the
/// same name on crates.io is another package.
pub(super) fn of(package: &Package) -> Option<String> {
    if package.source != PackageSource::Public {
        return None;
    }
    let (kind, name) = match package.ecosystem {
        Ecosystem::Cargo => ("cargo", package.name.clone()),
        // The specification demands lower case.
        Ecosystem::Go => ("golang", package.name.to_lowercase()),
    };
    let parts: Vec<String> = name.split('/').map(encoded).collect();
    let mut purl = format!("pkg:{kind}/{}", parts.join("/"));
    if let Some(version) = &package.version {
        purl.push('@');
        purl.push_str(&encoded(version));
    }
    Some(purl)
}

/// Encodes all bytes that have a meaning in a package URL.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(byte.into());
        } else {
            // Writing to a text cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
#[path = "tests/purl.rs"]
mod tests;
