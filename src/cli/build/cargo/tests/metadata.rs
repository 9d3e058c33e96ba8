use super::*;

/// A workspace with these packages, each with its binaries.
fn workspace(packages: &[(&str, &[&str])]) -> Metadata {
    let packages: Vec<_> = packages
        .iter()
        .map(|(name, binaries)| {
            let targets: Vec<_> = binaries
                .iter()
                .map(|binary| serde_json::json!({ "name": binary, "kind": ["bin"] }))
                .collect();
            serde_json::json!({
                "name": name, "version": "1.2.3", "id": name, "default_run": null,
                "manifest_path": format!("/nowhere/{name}/Cargo.toml"), "targets": targets,
            })
        })
        .collect();
    let answer = serde_json::json!({
        "packages": packages, "target_directory": "/t", "workspace_root": "/nowhere",
    });
    Metadata::read(answer.to_string().as_bytes()).unwrap()
}

#[test]
fn the_only_binary_is_chosen_and_several_are_listed() {
    let directory = Path::new("/nowhere");
    let one = workspace(&[("a", &["a-b"]), ("lib", &[])]);
    assert_eq!(one.binary(directory, None).unwrap().name, "a-b");

    let two = workspace(&[("a", &["a"]), ("b", &["b", "c"])]);
    let error = two.binary(directory, None).unwrap_err().to_string();
    assert_eq!(error, "there are several binaries: a, b, c");
    let found = two.binary(directory, Some("c")).unwrap();
    assert_eq!(
        (found.name.as_str(), found.package.name.as_str()),
        ("c", "b")
    );
    assert!(two.binary(directory, Some("d")).is_err());

    let same = workspace(&[("a", &["x"]), ("b", &["x"])]);
    let error = same.binary(directory, Some("x")).unwrap_err().to_string();
    assert_eq!(error, "several crates have a binary `x`");

    let none = workspace(&[("lib", &[])]);
    let error = none.binary(directory, None).unwrap_err().to_string();
    assert!(error.contains("has no binary"), "{error}");
}

#[test]
fn of_several_binaries_the_default_of_cargo_run_is_chosen() {
    let mut two = workspace(&[("a", &["a", "b"])]);
    two.packages[0].default_run = Some("b".to_owned());
    let found = two.binary(Path::new("/nowhere"), None).unwrap();
    assert_eq!(found.name, "b");
}
