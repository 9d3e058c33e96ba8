use super::super::keys::DOCKER_HUB_KEY;
use super::*;

fn file(content: Value) -> CredentialFile {
    let Value::Object(content) = content else {
        panic!("it is an object")
    };
    CredentialFile {
        path: PathBuf::from("config.json"),
        content,
    }
}

/// Returns the user in the entry for a repository. Each entry has a key and a user.
fn user(keys: &[(&str, &str)], registry: &str, repository: &str) -> Option<String> {
    let entries = keys.iter().map(|(key, user)| {
        let auth = BASE64.encode(format!("{user}:secret").as_bytes());
        ((*key).to_owned(), json!({ "auth": auth }))
    });
    let entries: Map<String, Value> = entries.collect();
    let file = file(json!({ "auths": entries }));
    match file.entry(registry, repository).unwrap()? {
        Credentials::Basic { user, .. } => Some(user),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_entry_is_for_its_own_registry() {
    let keys = [("ghcr.io", "a"), ("localhost:5000", "b")];
    assert_eq!(user(&keys, "ghcr.io", "x").as_deref(), Some("a"));
    assert_eq!(user(&keys, "localhost:5000", "x").as_deref(), Some("b"));
    for other in [
        "localhost",
        "localhost:5001",
        "evil-ghcr.io",
        "ghcr.io.evil",
    ] {
        assert_eq!(user(&keys, other, "x"), None, "{other}");
    }
    let keys = [
        ("https://quay.io/v2/", "a"),
        ("http://GHCR.io", "b"),
        ("HTTPS://r.test", "c"),
        ("q.test/v1/", "d"),
        ("[0:0:0:0:0:0:0:1]:5000", "e"),
    ];
    let long = [("[::1]:5000", "f")];
    for registry in ["[0:0:0:0:0:0:0:1]:5000", "[0000::0001]:5000"] {
        assert_eq!(user(&long, registry, "x").as_deref(), Some("f"));
    }
    for (registry, expected) in [("r.test", "c"), ("q.test", "d"), ("[::1]:5000", "e")] {
        assert_eq!(user(&keys, registry, "x").as_deref(), Some(expected));
    }
    assert_eq!(user(&keys, "quay.io", "x").as_deref(), Some("a"));
    assert_eq!(user(&keys, "ghcr.io", "x").as_deref(), Some("b"));
}

#[test]
fn a_registry_with_the_port_443_is_the_same_registry() {
    for (key, registry) in [
        ("ghcr.io", "ghcr.io:443"),
        ("ghcr.io:443", "ghcr.io"),
        ("https://ghcr.io:443/v2/", "ghcr.io"),
        ("docker.io", "registry-1.docker.io:443"),
    ] {
        let found = user(&[(key, "a")], registry, "x");
        assert_eq!(found.as_deref(), Some("a"), "{key} for {registry}");
    }
    let helper = file(json!({ "credHelpers": { "ghcr.io": "gh" } }));
    assert!(helper.helper("ghcr.io:443").unwrap().is_some());
    assert_eq!(user(&[("ghcr.io", "a")], "ghcr.io:8443", "x"), None);
}

#[test]
fn docker_hub_is_found_under_all_its_names() {
    for key in [
        DOCKER_HUB_KEY,
        "docker.io",
        "index.docker.io",
        "registry-1.docker.io",
    ] {
        let found = user(&[(key, "hub")], "docker.io", "library/x");
        assert_eq!(found.as_deref(), Some("hub"), "{key}");
        assert_eq!(user(&[(key, "hub")], "ghcr.io", "x"), None);
    }
    let both = [(DOCKER_HUB_KEY, "docker's"), ("docker.io", "other")];
    assert_eq!(user(&both, "docker.io", "x").as_deref(), Some("docker's"));
}

#[test]
fn the_most_specific_entry_wins() {
    let keys = [
        ("quay.io", "all"),
        ("quay.io/org", "org"),
        ("quay.io/org/provider", "one"),
    ];
    let found = |repository| user(&keys, "quay.io", repository).unwrap();
    assert_eq!(found("org/provider"), "one");
    assert_eq!(found("org/provider/deeper"), "one");
    assert_eq!(found("org/provider2"), "org");
    assert_eq!(found("organisation/x"), "all");
    assert_eq!(found(""), "all");
    assert_eq!(user(&keys[1..], "quay.io", "other/x"), None);
}

#[test]
fn an_entry_is_replaced_under_all_spellings_and_the_rest_is_kept() {
    let mut file = file(json!({
        "auths": {
            "docker.io": {}, "index.docker.io:443": {}, "docker.io/org": {},
            "ghcr.io": { "auth": "x" },
        },
        "credsStore": "desktop", "credHelpers": { "ghcr.io": "gh", "quay.io": "" },
        "proxies": { "default": {} },
    }));
    file.put("docker.io", Some(("a", "b"))).unwrap();
    assert_eq!(
        Value::Object(file.content.clone()),
        json!({
            "auths": {
                DOCKER_HUB_KEY: { "auth": "YTpi" }, "docker.io/org": {},
                "ghcr.io": { "auth": "x" },
            },
            "credsStore": "desktop", "credHelpers": { "ghcr.io": "gh", "quay.io": "" },
            "proxies": { "default": {} },
        })
    );
    assert!(file.remove("docker.io") && !file.remove("docker.io"));
    let helper = |registry| {
        let helper = file.helper(registry).unwrap();
        helper.map(|helper| helper.name().to_owned())
    };
    assert_eq!(helper("ghcr.io").as_deref(), Some("docker-credential-gh"));
    assert_eq!(
        helper("docker.io").as_deref(),
        Some("docker-credential-desktop")
    );
    assert_eq!(helper("quay.io"), None);
}

#[test]
fn null_means_absent_and_other_types_are_named() {
    let empty = json!({ "auths": null, "credHelpers": null, "credsStore": null });
    let mut empty = file(empty);
    assert!(empty.helper("ghcr.io").unwrap().is_none());
    assert_eq!(empty.entry("ghcr.io", "x").unwrap(), None);
    assert!(!empty.remove("ghcr.io"));
    empty.put("ghcr.io", Some(("a", "b"))).unwrap();
    assert!(empty.entry("ghcr.io", "x").unwrap().is_some());

    for (content, said) in [
        (json!({ "auths": [] }), "`auths` is not an object"),
        (
            json!({ "credHelpers": "x" }),
            "`credHelpers` is not an object",
        ),
        (json!({ "credsStore": 7 }), "is not text"),
        (
            json!({ "auths": { "ghcr.io": 7 } }),
            "the entry `ghcr.io` is not an object",
        ),
    ] {
        let file = file(content);
        let found = file.helper("ghcr.io").err();
        let error = found.unwrap_or_else(|| file.entry("ghcr.io", "x").unwrap_err());
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn the_names_of_fields_may_be_in_any_case() {
    let mut file = file(json!({ "Auths": { "ghcr.io": { "Auth": "YTpi" } }, "CredsStore": "x" }));
    assert!(file.helper("quay.io").unwrap().is_some());
    assert!(file.entry("ghcr.io", "x").unwrap().is_some());
    file.put("quay.io", None).unwrap();
    assert_eq!(
        file.content.keys().collect::<Vec<_>>(),
        ["Auths", "CredsStore"]
    );
}

#[test]
fn an_entry_with_the_same_credentials_is_not_changed() {
    let content = json!({ "auths": { "https://r.test/v2/": { "auth": "YTpi", "email": "e" } } });
    let mut file = file(content.clone());
    file.put("r.test", Some(("a", "b"))).unwrap();
    assert_eq!(Value::Object(file.content.clone()), content);
    file.put("r.test", Some(("a", "c"))).unwrap();
    let expected = json!({ "auths": { "r.test": { "auth": "YTpj" } } });
    assert_eq!(Value::Object(file.content), expected);
}

#[test]
fn an_empty_file_counts_as_being_written_while_it_is_new() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    let file = File::create(&path).unwrap();
    let now = SystemTime::now();
    file.set_modified(now + Duration::from_secs(3600)).unwrap();
    assert!(!changed_lately(&path), "the clock was set back");
    file.set_modified(now - WRITING).unwrap();
    assert!(!changed_lately(&path));
    assert!(!changed_lately(&directory.path().join("absent")));
    let read = CredentialFile::read(&path, "r.test").unwrap().unwrap();
    assert!(read.content.is_empty());
}
