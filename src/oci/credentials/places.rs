//! The environment variables and files with credentials.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::content::home;

use super::keys::is_same_registry;

/// Returns the environment variable `name` when it is set to something. `HOME` also has a value for
/// services, which run without that variable.
pub(super) fn variable(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    match name {
        "HOME" => value.or_else(|| Some(home()?.into_os_string())),
        _ => value,
    }
}

/// Returns user and password from the variables of wasmCloud's host, which belong to one registry.
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
    // The XDG base directory specification has relative paths ignored.
    let named = directory("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let configuration = named.or_else(|| Some(home?.join(".config")));
    let podman = [directory("XDG_RUNTIME_DIR"), configuration];
    let podman = podman.into_iter().flatten();
    docker(&variable)
        .into_iter()
        .chain(podman.map(|directory| directory.join("containers").join("auth.json")))
        .collect()
}

/// Returns the file that credentials are written to: the first that is read.
pub(super) fn written_file(
    named: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    only(named, &variable).or_else(|| docker(&variable))
}

/// Returns the file that replaces all others.
fn only(named: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = named.map(Path::to_owned);
    named.or_else(|| variable("REGISTRY_AUTH_FILE").map(PathBuf::from))
}

/// Returns the path of Docker's `config.json`.
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
mod tests {
    use super::*;

    const HOME: (&str, &str) = ("HOME", "/home/jane");

    fn environment(set: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        let set: Vec<(String, OsString)> = set
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        move |asked| {
            let found = set.iter().find(|(name, _)| name == asked);
            found.map(|(_, value)| value.clone())
        }
    }

    fn paths(named: Option<&str>, set: &[(&str, &str)]) -> Vec<String> {
        let paths = files(named.map(Path::new), environment(set));
        let paths = paths.iter().map(|path| path.display().to_string());
        paths.collect()
    }

    #[test]
    fn docker_has_precedence_over_podman() {
        let found = paths(None, &[HOME, ("XDG_RUNTIME_DIR", "/run/user/7")]);
        let expected = [
            "/home/jane/.docker/config.json",
            "/run/user/7/containers/auth.json",
            "/home/jane/.config/containers/auth.json",
        ];
        assert_eq!(found, expected);
        let found = paths(None, &[("DOCKER_CONFIG", "/d"), ("XDG_CONFIG_HOME", "/c")]);
        assert_eq!(found, ["/d/config.json", "/c/containers/auth.json"]);
        assert_eq!(paths(None, &[]), [""; 0]);
    }

    #[test]
    fn a_named_file_replaces_all_others() {
        let variable = [HOME, ("REGISTRY_AUTH_FILE", "/auth.json")];
        assert_eq!(paths(None, &variable), ["/auth.json"]);
        assert_eq!(paths(Some("named.json"), &variable), ["named.json"]);
        let kept = written_file(None, environment(&variable));
        assert_eq!(kept, Some(PathBuf::from("/auth.json")));
        let kept = written_file(None, environment(&[HOME]));
        assert_eq!(kept, Some(PathBuf::from("/home/jane/.docker/config.json")));
    }

    #[test]
    fn the_variables_of_the_host_are_for_one_registry() {
        let set = [
            ("WASMCLOUD_OCI_REGISTRY", "https://ghcr.io/"),
            ("WASMCLOUD_OCI_REGISTRY_USER", "jane"),
            ("WASMCLOUD_OCI_REGISTRY_PASSWORD", "secret"),
        ];
        let found = |registry| variables(registry, environment(&set));
        let expected = ("jane".to_owned(), "secret".to_owned());
        assert_eq!(found("ghcr.io"), Some(expected));
        assert_eq!(found("quay.io"), None);
        assert_eq!(variables("ghcr.io", environment(&set[1..])), None);
    }
}
