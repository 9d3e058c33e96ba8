//! The variables and files in which credentials are looked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::server::is_same_registry;

/// User and password from the variables of wasmCloud's host, which belong to one registry.
pub(super) fn variables(
    registry: &str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<(String, String)> {
    let text = |name| variable(name)?.into_string().ok();
    let belong = is_same_registry(&text("WASMCLOUD_OCI_REGISTRY")?, registry);
    let user = text("WASMCLOUD_OCI_REGISTRY_USER").filter(|_| belong)?;
    Some((user, text("WASMCLOUD_OCI_REGISTRY_PASSWORD")?))
}

/// The files to look into, in this order. They need not exist.
pub(super) fn files(
    named: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Vec<PathBuf> {
    let folder = |name| variable(name).map(PathBuf::from);
    if let Some(path) = only(named, &variable) {
        return vec![path];
    }
    let home = folder("HOME");
    // What is no absolute path is to be ignored, by the XDG base directory specification.
    let named = folder("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let configuration = named.or_else(|| Some(home?.join(".config")));
    let podman = [folder("XDG_RUNTIME_DIR"), configuration];
    let podman = podman.into_iter().flatten();
    docker(&variable)
        .into_iter()
        .chain(podman.map(|folder| folder.join("containers").join("auth.json")))
        .collect()
}

/// The file that credentials are written to: the first that is read.
pub(super) fn kept_in(
    named: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    only(named, &variable).or_else(|| docker(&variable))
}

/// A file that stands in for all others.
fn only(named: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = named.map(Path::to_owned);
    named.or_else(|| variable("REGISTRY_AUTH_FILE").map(PathBuf::from))
}

fn docker(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = match variable("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => {
            let home = variable("HOME").or_else(|| variable("USERPROFILE"))?;
            PathBuf::from(home).join(".docker")
        }
    };
    Some(folder.join("config.json"))
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
    fn dockers_file_comes_first_then_podmans() {
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
    fn a_file_that_is_named_stands_in_for_all_others() {
        let variable = [HOME, ("REGISTRY_AUTH_FILE", "/auth.json")];
        assert_eq!(paths(None, &variable), ["/auth.json"]);
        assert_eq!(paths(Some("named.json"), &variable), ["named.json"]);
        let kept = kept_in(None, environment(&variable));
        assert_eq!(kept, Some(PathBuf::from("/auth.json")));
        let kept = kept_in(None, environment(&[HOME]));
        assert_eq!(kept, Some(PathBuf::from("/home/jane/.docker/config.json")));
    }

    #[test]
    fn the_hosts_variables_are_for_their_own_registry() {
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
