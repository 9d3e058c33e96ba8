use std::fs;

use super::*;

fn paths(directory: &tempfile::TempDir) -> Paths {
    let paths = Paths::in_directory(Some(directory.path())).unwrap();
    paths.create().unwrap();
    paths
}

#[test]
fn tags_and_repositories_never_share_a_path() {
    let directory = tempfile::tempdir().unwrap();
    let paths = paths(&directory);
    let names = [
        "ghcr.io/org/provider:v1",
        "ghcr.io/org:provider",
        "ghcr.io/org/provider/v1:v1",
        "localhost:5000/org/provider:v1",
        "localhost/org_provider:v1",
    ];
    let places: Vec<PathBuf> = names
        .iter()
        .map(|name| paths.reference(name).unwrap())
        .collect();
    for (index, place) in places.iter().enumerate() {
        for other in places.iter().skip(index + 1) {
            assert!(!place.starts_with(other) && !other.starts_with(place));
        }
    }
}

#[test]
fn names_that_would_leave_the_cache_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let paths = paths(&directory);
    for name in [
        "no-tag",
        "ghcr.io/../../etc/passwd:v1",
        "ghcr.io//x:v1",
        "/etc/passwd:v1",
        "ghcr.io/x:..",
        "ghcr.io/_tags/x:v1",
        "ghcr.io/x:a\\b",
    ] {
        assert!(paths.reference(name).is_err(), "{name}");
    }
    for registry in ["..", "a/b", ""] {
        assert!(paths.no_answer(registry).is_err(), "{registry}");
    }
    assert!(paths.reference("ghcr.io/x:_lock").is_ok());
    assert!(paths.reference("ghcr.io/_lock:v1").is_err());
    let lock = paths.reference_lock("ghcr.io/x:v1").unwrap();
    assert_eq!(lock, paths.root().join("references/ghcr.io/x/_lock"));
    for place in ["", "ghcr.io/..", "/etc", "ghcr.io/_identity", "x/_lock/y"] {
        assert!(repository_path(place).is_none(), "{place}");
    }
}

#[test]
fn a_registry_has_a_name_for_file_systems_without_colons() {
    for (registry, name) in [
        ("ghcr.io", "ghcr.io"),
        ("localhost:5000", "localhost_5000_"),
        ("my_registry:80", "my_registry_80_"),
        ("my_registry", "my_registry"),
        ("[::1]:5000", "[__1]_5000_"),
        ("[::1]", "[__1]"),
    ] {
        assert_eq!(without_colons(registry), name);
        assert_eq!(with_colons(name), registry);
        let form = if cfg!(windows) { name } else { registry };
        let path = repository_path(&format!("{registry}/org/x")).unwrap();
        assert_eq!(path, Path::new(form).join("org").join("x"));
        assert_eq!(
            place_of(&format!("{form}/org/x")),
            format!("{registry}/org/x")
        );
        assert_eq!(place_of(form), registry);
    }
}

#[test]
fn the_purpose_of_a_file_follows_from_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let paths = paths(&directory);
    let digest = Digest::of(b"");
    for kind in Kind::ALL {
        let purpose = paths.purpose(&paths.content(kind, &digest));
        assert_eq!(purpose, Some(Purpose::Content(kind, digest.clone())));
    }
    for name in ["ghcr.io/org/provider:v1", "localhost:5000/provider:1.0.0"] {
        let purpose = paths.purpose(&paths.reference(name).unwrap());
        assert_eq!(purpose, Some(Purpose::Reference(name.to_owned())));
    }
    for path in [
        paths.places(&digest),
        paths.no_answer("localhost:5000").unwrap(),
    ] {
        assert_eq!(paths.purpose(&path), Some(Purpose::Hint));
    }
    let head = paths.purpose(&paths.head("ghcr.io/x:1").unwrap());
    assert_eq!(head, Some(Purpose::Head("ghcr.io/x:1".to_owned())));
    let program = paths.programs(&digest).join("echo-x86_64-linux");
    assert_eq!(
        paths.purpose(&program),
        Some(Purpose::Program(digest.clone()))
    );
    let provider = paths.purpose(&paths.provider(&digest));
    assert_eq!(provider, Some(Purpose::Provider(digest.clone())));
    let bundle = paths.purpose(&paths.bundle(&digest, &Digest::of(b"policy")));
    assert_eq!(bundle, Some(Purpose::Bundle(digest.clone())));
    let name = "ghcr.io/org/provider";
    let old = paths.old_identities();
    for path in [
        paths.partial(&digest),
        paths.lock(&digest),
        paths.reference_lock(&format!("{name}:1")).unwrap(),
        old.join(name).join(LOCK),
    ] {
        assert_eq!(paths.purpose(&path), Some(Purpose::Unfinished));
    }
    let temporary = paths.content(Kind::Executable, &digest);
    let temporary = temporary.with_file_name(".par-x.partial");
    assert_eq!(paths.purpose(&temporary), Some(Purpose::Temporary));
    for other in [
        "identities/ghcr.io/x/_identity",
        "identities/ghcr.io/x",
        "blobs/sha256/x",
        "blobs/x",
        "x",
    ] {
        assert_eq!(paths.purpose(&paths.root().join(other)), None, "{other}");
    }
}

#[test]
fn looking_for_a_cache_creates_none_and_a_cache_within_a_cache_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let deep = directory.path().join("deep/v1");
    assert!(!Paths::in_directory(Some(&deep)).unwrap().exist().unwrap());
    assert!(!directory.path().join("deep").exists());
    // Any other directory may be named `v1`.
    let paths = Paths::in_directory(Some(&deep)).unwrap();
    paths.create().unwrap();
    assert!(paths.exist().unwrap());
    for known in DIRECTORIES {
        fs::create_dir(paths.root().join(known)).unwrap();
        let error = Paths::in_directory(Some(paths.root())).unwrap_err();
        assert!(matches!(error, Error::WithinCache(_)), "{error}");
        fs::remove_dir(paths.root().join(known)).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn the_cache_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let paths = paths(&directory);
    let mode = fs::metadata(paths.root()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
