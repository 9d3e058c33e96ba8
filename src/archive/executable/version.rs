//! Versions of the GNU C library.

use std::cmp::Ordering;

/// Returns the release that a version such as `GLIBC_2.34` belongs to. `None` for versions of other libraries.
pub(super) fn release_of(version: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(version).ok()?.strip_prefix("GLIBC_")?;
    // The first release with relative relocations defines this name instead of a number.
    let name = if name == "ABI_DT_RELR" { "2.36" } else { name };
    parts(name).map(|_| name.to_owned())
}

/// Returns the newer one of two releases.
pub(super) fn newest(one: Option<String>, other: String) -> Option<String> {
    Some(match one {
        Some(one) if !is_newer(&other, &one) => one,
        _ => other,
    })
}

/// Returns whether `one` is a newer release than `other`. For example, 2.34 is newer than 2.4.
pub(crate) fn is_newer(one: &str, other: &str) -> bool {
    match (parts(one), parts(other)) {
        (Some(one), Some(other)) => one.cmp(&other) == Ordering::Greater,
        _ => false,
    }
}

fn parts(release: &str) -> Option<Vec<u32>> {
    let parts = release.split('.').map(|part| part.parse().ok());
    let is_short = release.len() <= 32;
    parts.collect::<Option<Vec<u32>>>().filter(|_| is_short)
}

#[cfg(test)]
#[path = "tests/version.rs"]
mod tests;
