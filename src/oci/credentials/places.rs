//! The environment variables and files with credentials.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::content::home;

use super::keys::is_same_registry;

/// Returns the environment variable `name` unless it is unset or empty. For `HOME`, returns the home directory even
/// when the variable is unset, as it is for services.
pub(super) fn variable(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    match name {
        "HOME" => value.or_else(|| Some(home()?.into_os_string())),
        _ => value,
    }
}

/// Returns user and password from the variables of wasmCloud's host, if these are for `registry`.
pub(super) fn variables(
    registry: &str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<(String, String)> {
    let text = |name| variable(name)?.into_string().ok();
    let belong = is_same_registry(&text("WASMCLOUD_OCI_REGISTRY")?, registry);
    let user = text("WASMCLOUD_OCI_REGISTRY_USER").filter(|_| belong)?;
    Some((user, text("WASMCLOUD_OCI_REGISTRY_PASSWORD")?))
}

/// Returns the files that may hold credentials, in the order in which they are read.
pub(super) fn files(
    named: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Vec<PathBuf> {
    let directory = |name| variable(name).map(PathBuf::from);
    if let Some(path) = only(named, &variable) {
        return vec![path];
    }
    let home = directory("HOME");
    // By the XDG base directory specification, relative paths are ignored.
    let named = directory("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let configuration = named.or_else(|| Some(home?.join(".config")));
    let podman = [directory("XDG_RUNTIME_DIR"), configuration];
    let podman = podman.into_iter().flatten();
    docker(&variable)
        .into_iter()
        .chain(podman.map(|directory| directory.join("containers").join("auth.json")))
        .collect()
}

/// Returns the file to which credentials are written: the first of those that are read.
pub(super) fn written_file(
    named: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    only(named, &variable).or_else(|| docker(&variable))
}

/// Returns the file that is used instead of all others, if one is named.
fn only(named: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = named.map(Path::to_owned);
    named.or_else(|| variable("REGISTRY_AUTH_FILE").map(PathBuf::from))
}

fn docker(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let directory = match variable("DOCKER_CONFIG") {
        Some(directory) => PathBuf::from(directory),
        None => {
            let home = variable("HOME").or_else(|| variable("USERPROFILE"))?;
            PathBuf::from(home).join(".docker")
        }
    };
    Some(directory.join("config.json"))
}

#[cfg(test)]
#[path = "tests/places.rs"]
mod tests;
