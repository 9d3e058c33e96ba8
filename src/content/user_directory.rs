//! The user's directories, by the XDG base directory specification.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

/// Returns the directory that `variable` names, such as `XDG_CONFIG_HOME`, or else `default` in the home
/// directory.
///
/// `None` when neither is known: in a container that runs under an arbitrary user number, the user has no
/// home directory.
pub(crate) fn user_directory(variable: &str, default: &str) -> Option<PathBuf> {
    choose(std::env::var_os(variable), default, home)
}

/// Returns the user's home directory: `HOME`, or else the one in the system's user database, because services
/// run without variables. A home that is not a directory counts as unknown: services have `/dev/null`.
pub(crate) fn home() -> Option<PathBuf> {
    let home = etcetera::home_dir().ok()?;
    let is_other = fs::metadata(&home).is_ok_and(|found| !found.is_dir());
    (!is_other).then_some(home)
}

/// Ignores a named path that is not absolute, as the specification demands.
fn choose(
    named: Option<OsString>,
    default: &str,
    home: impl FnOnce() -> Option<PathBuf>,
) -> Option<PathBuf> {
    let named = named.map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| Some(home()?.join(default)))
}

#[cfg(test)]
#[path = "tests/user_directory.rs"]
mod tests;
