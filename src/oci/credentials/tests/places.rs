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
